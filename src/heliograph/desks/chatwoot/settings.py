"""What a site sets of its Chatwoot."""

from __future__ import annotations

import msgspec


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account at a Chatwoot, with an inbox of the kind API.

    `base_url`: where it is. `account_id`, `inbox_id`: as in the addresses of its pages. `api_access_token`: an agent's
    or administrator's who may see the inbox (secret). `webhook_secret`: the inbox's own, which signs what it posts
    (secret; Chatwoot 4.13 and later); several parted by spaces where there are several inboxes. `webhook_token`: a word
    of your choice in the webhook's address, `?token=…`, for a Chatwoot that does not sign (secret). `teams`: skill →
    the team's id; a skill that is not named goes to the team of its name. `inboxes`: skill → the id of an inbox of its
    own. `inbox_identifier`: the inbox's, with which the agents see that the recipient types. `dashboard_url`: where
    agents have its pages, where that is another address than `base_url`; they may show our context page in a frame.
    """

    base_url: str = "https://app.chatwoot.com"
    account_id: int
    inbox_id: int
    api_access_token: str = ""
    webhook_secret: str = ""
    webhook_token: str = ""
    teams: dict[str, int] = {}
    inboxes: dict[str, int] = {}
    inbox_identifier: str = ""
    dashboard_url: str = ""

    def __post_init__(self) -> None:
        if not self.base_url.startswith(("https://", "http://")):
            raise ValueError("base_url must be Chatwoot's address, https://…")
        if self.dashboard_url and not self.dashboard_url.startswith(("https://", "http://")):
            raise ValueError("dashboard_url must be the address of Chatwoot's pages, https://…")
        if self.account_id < 1 or self.inbox_id < 1:
            raise ValueError("account_id and inbox_id must be Chatwoot's numbers of them, 1 or more")

    @property
    def base(self) -> str:
        return self.base_url.rstrip("/")

    @property
    def all_inboxes(self) -> frozenset[int]:
        return frozenset({self.inbox_id, *self.inboxes.values()})
