"""Sites whose agents work at a desk of the sandbox, and what is seen and done at that desk, all from outside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from journey.house import House, until
from journey.sites import site

ACCOUNTS: dict[str, dict[str, Any]] = {
    "chatwoot": {"id": "1", "skills": {"service": "7"}},
    "liveperson": {"id": "90210", "skills": {"service": "3276543210"}},
    "webhook": {"id": "acme", "skills": {"service": "service"}},
}
SETTINGS = {
    "chatwoot": """
base_url = "{url}"
account_id = 1
inbox_id = {inbox_id}
api_access_token = "{api_access_token}"
webhook_secret = "{webhook_secret}"
teams = {{ service = 7 }}
""",
    "liveperson": """
base_url = "{url}"
account = "90210"
client_id = "{client_id}"
client_secret = "{client_secret}"
skills = {{ service = "3276543210" }}
""",
    "webhook": """
url = "{url}/desk/acme"
secret = "{secret}"
""",
}


class Bench:
    """One desk of the sandbox and the site that uses it. `site`: its id and that of its RBM agent; `numbers`: phones of
    its recipients."""

    def __init__(self, house: House, desk: str, folder: Path) -> None:
        self.desk = desk
        self.house = house
        self.account = ACCOUNTS[desk]["id"]
        self.site = f"by-{desk}"
        self.numbers = [
            f"20255501{10 * place + n}" for place, n in ((1 + list(ACCOUNTS).index(desk), n) for n in (0, 1))
        ]
        webhook = f"{house.base_url}/callbacks/desk/{desk}/{self.site}"
        made = house.phones.post("/sandbox/desks", desk=desk, webhook=webhook, **ACCOUNTS[desk])
        agent = house.phones.post(
            "/sandbox/senders",
            sender=self.site,
            verify=False,
            client_token=house.outside.environ["ACME_RBM_WEBHOOK_TOKEN"],
            webhook=f"{house.base_url}/callbacks/rcs/google-rbm/{self.site}/{self.site}-rcs",
        )
        assert agent["provider"] == "google-rbm"
        place = site(folder, self.site, 'skills = ["service"]', agent=self.site, base_url="${ACME_RBM_BASE_URL}")
        settings = SETTINGS[desk].format(url=house.outside.sandbox_url, **made["credentials"])
        with open(place / "site.toml", "a") as file:
            file.write(f'\n[desk]\nkind = "{desk}"\n\n[desk.settings]{settings}')

    def cases(self) -> list[dict[str, Any]]:
        """The conversations, the one that was spoken in last first."""
        found: list[dict[str, Any]] = self.house.phones.get(f"/sandbox/desks/{self.desk}/{self.account}")[
            "conversations"
        ]
        return found

    def heard(self) -> list[str]:
        """What recipients said, in all conversations, in its order; without a context that stands above it."""
        lines = [line for case in self.cases() for line in case["lines"] if line["by"] == "recipient"]
        return [line["text"].splitlines()[-1] for line in sorted(lines, key=lambda line: line["at"])]

    def hears(self, *words: str, seconds: float = 15.0) -> None:
        """Until the desk has these words and no others, each of them once and in this order."""
        until(lambda: len(self.heard()) >= len(words), seconds)
        assert self.heard() == list(words)

    def seen(self) -> list[dict[str, Any]]:
        """What `heliograph desks` tells operators of this one."""
        told = self.house.outside.run("desks", "--site", self.site, "--json").stdout
        found: list[dict[str, Any]] = json.loads(told)
        return found

    def does(self, do: str, **deed: str) -> Any:
        return self.house.phones.post(f"/sandbox/desks/{self.desk}/{self.account}/deeds", do=do, **deed)

    def behave(self, do: str, **rule: Any) -> None:
        """One rule about all calls of this desk, instead of those before."""
        self.house.phones.delete("/sandbox/behaviour")
        self.house.phones.behave(do, match={"desk": self.desk}, **rule)

    def recovers(self) -> None:
        self.house.phones.delete("/sandbox/behaviour")
