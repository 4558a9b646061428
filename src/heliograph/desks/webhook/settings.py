"""What a site sets of a desk of its own."""

from __future__ import annotations

import msgspec

from heliograph.core.standard_webhooks import BadSecret, key_of


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A desk that speaks signed HTTP, both ways (README.md has the format).

    `url`: where it takes events. `secret`: signs what we post and what it posts, `whsec_…`; two parted by a space while
    one is replaced by another, the new one first (secret). `callback_secret`: signs what it posts, where that is to be
    another one (secret). `framed`: origins of its pages that may show our context page in a frame. `courtesies`: it is
    told that the recipient types and that its answers arrived.
    """

    url: str
    secret: str = ""
    callback_secret: str = ""
    framed: tuple[str, ...] = ()
    courtesies: bool = True

    def __post_init__(self) -> None:
        if not self.url.startswith(("https://", "http://")):
            raise ValueError("url must be the address where your desk takes events, https://…")
        for name, secrets in (("secret", self.secret), ("callback_secret", self.callback_secret)):
            for one in secrets.split():
                try:
                    key_of(one)
                except BadSecret as fault:
                    raise ValueError(
                        f"{name}: {fault} `openssl rand -base64 32` makes what stands behind whsec_"
                    ) from None

    @property
    def secrets(self) -> list[str]:
        return self.secret.split()

    @property
    def callback_secrets(self) -> list[str]:
        return self.callback_secret.split() or self.secrets
