"""What a message costs, as the site's file says: a price for each part, by channel and by the number's beginning."""

from __future__ import annotations

from decimal import Decimal

from heliograph.core.channel import Size
from heliograph.core.site import DEFAULT_PRICE, Prices


def cost(prices: Prices, channel: str, recipient: str, size: Size) -> Decimal | None:
    """The price of a message of `size` to `recipient` (E.164) in `prices.currency`; None where none is known.

    The longest beginning of the number wins (+1809 before +1), else the channel's default."""
    table = prices.channels.get(channel)
    if not table:
        return None
    for end in range(len(recipient), 1, -1):
        if (price := table.get(recipient[:end])) is not None:
            return price * size.parts
    default = table.get(DEFAULT_PRICE)
    return None if default is None else default * size.parts
