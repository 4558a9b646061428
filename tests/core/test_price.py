"""What a message costs by the site's table."""

from __future__ import annotations

from decimal import Decimal

import pytest

from heliograph.core.channel import Size
from heliograph.core.price import cost
from heliograph.core.site import Prices

PRICES = Prices(
    currency="EUR",
    channels={
        "sms": {"+1": Decimal("0.0079"), "+1809": Decimal("0.2"), "+49": Decimal("0.07"), "default": Decimal("0.11")},
        "wa": {"+1": Decimal("0.01")},
        "rcs": {},
    },
)


@pytest.mark.parametrize(
    ("channel", "recipient", "parts", "amount"),
    [
        ("sms", "+17705550100", 1, "0.0079"),
        ("sms", "+17705550100", 3, "0.0237"),  # exact: no float on the way
        ("sms", "+18095550100", 1, "0.2"),
        ("sms", "+4930555010", 2, "0.14"),
        ("sms", "+33155501000", 1, "0.11"),
        ("wa", "+17705550100", 1, "0.01"),
        ("wa", "+33155501000", 1, None),
        ("rcs", "+17705550100", 1, None),
        ("fax", "+17705550100", 1, None),
    ],
)
def test_the_longest_beginning_wins(channel, recipient, parts, amount):
    found = cost(PRICES, channel, recipient, Size(parts=parts))
    assert found == (None if amount is None else Decimal(amount))
