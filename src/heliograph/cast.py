"""The examples' senders at every provider that the sandbox plays, their account at a desk, and the variables with which
a site finds them.

The variables are those of `examples/acme-air` and `examples/acme-air-liveperson`. Credentials are made afresh and kept
by stage.py.
"""

from __future__ import annotations

import msgspec

from heliograph.core.twin import KnownDesk
from heliograph.sandbox import KnownSender, Running

SITE = "25508804"
CARE = "25508805"  # the site whose agents work in LivePerson
GOOGLE = "google-rbm"
ACCOUNT_FILE = "acme-service-account.json"


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """One sender: `sender` is its name in the site, `id` and `address` what the provider and phones know it by.
    `credentials`: our variable -> the provider's word; `made`: hex digits of those that its twin does not make."""

    provider: str
    channel: str
    sender: str
    id: str
    site: str = SITE
    name: str = "Acme Air"
    address: str = ""
    credentials: dict[str, str] = {}
    made: dict[str, int] = {}
    needs_webhook: bool = True

    def callback(self, base_url: str) -> str:
        """Where the server at `base_url` hears of this sender."""
        return f"{base_url}/callbacks/{self.channel}/{self.provider}/{self.site}/{self.sender}"


class DeskRole(msgspec.Struct, frozen=True, kw_only=True):
    """An account at a desk: `site` is whose desk it is, `skills` and `credentials` are those of KnownDesk and Role.
    `prefix`: of its variables."""

    desk: str
    site: str
    id: str
    name: str
    prefix: str
    skills: dict[str, str] = {}
    credentials: dict[str, str] = {}

    @property
    def provider(self) -> str:
        """What --provider and --webhook call it."""
        return self.desk

    def callback(self, base_url: str) -> str:
        """Where the server at `base_url` hears of this desk."""
        return f"{base_url}/callbacks/desk/{self.desk}/{self.site}"


CAST = (
    Role(provider=GOOGLE, channel="rcs", sender="acme-rcs", id="acme-air"),
    Role(provider=GOOGLE, channel="rcs", sender="care-rcs", id="acme-care", site=CARE, name="Acme Air Care"),
    Role(
        provider="whatsapp-cloud",
        channel="wa",
        sender="acme-wa",
        id="106540352242922",
        address="+17705550101",
        credentials={
            "ACME_WA_ACCESS_TOKEN": "access_token",
            "ACME_WA_APP_SECRET": "app_secret",
            "ACME_WA_VERIFY_TOKEN": "verify_token",
        },
        made={"access_token": 64, "app_secret": 32, "verify_token": 16},
    ),
    Role(
        provider="twilio",
        channel="sms",
        sender="acme-sms",
        id="+17705550102",
        credentials={"ACME_TWILIO_ACCOUNT_SID": "account_sid", "ACME_TWILIO_AUTH_TOKEN": "auth_token"},
        made={"auth_token": 32},
    ),
    Role(
        provider="smpp",
        channel="sms",
        sender="acme-smpp",
        id="acme",
        address="22630",
        credentials={"ACME_SMPP_PASSWORD": "password"},
        made={"password": 8},
        needs_webhook=False,
    ),
)

DESKS = (
    DeskRole(
        desk="liveperson",
        site=CARE,
        id="12345678",
        name="Acme Air Care",
        prefix="ACME_LP",
        skills={"service": "3276543210"},
        credentials={"ACME_LP_CLIENT_ID": "client_id", "ACME_LP_CLIENT_SECRET": "client_secret"},
    ),
)


def known(role: Role, credentials: dict[str, str], webhook: str) -> KnownSender:
    return KnownSender(
        id=role.id,
        provider=role.provider,
        name=role.name,
        webhook=webhook,
        secret=credentials.get("client_token", ""),
        credentials=credentials,
        address=role.address,
    )


def variables(role: Role, sender: KnownSender, sandbox: Running, account_file: str) -> dict[str, str]:
    """With which its example finds this sender."""
    named = {name: sender.credentials.get(word, "") for name, word in role.credentials.items()}
    match role.provider:
        case "google-rbm" if role.site != SITE:  # the account is the same
            return {"ACME_CARE_RBM_AGENT": role.id}
        case "google-rbm":
            return {
                "ACME_RBM_BASE_URL": sandbox.url,
                "ACME_RBM_KEY_FILE": account_file,
                "ACME_RBM_AGENT": role.id,
                "ACME_RBM_WEBHOOK_TOKEN": sender.secret,
            }
        case "whatsapp-cloud":
            return {"ACME_WA_BASE_URL": sandbox.url, "ACME_WA_PHONE_NUMBER_ID": role.id, **named}
        case "twilio":
            return {"ACME_TWILIO_BASE_URL": sandbox.url, "ACME_TWILIO_FROM": role.id, **named}
        case _:
            line = sandbox.world.lines[role.provider]
            return {
                "ACME_SMPP_HOST": sandbox.host,
                "ACME_SMPP_PORT": str(line.port),
                "ACME_SMPP_SYSTEM_ID": role.id,
                "ACME_SMPP_ADDRESS": role.address,
                **named,
            }


def known_desk(role: DeskRole, credentials: dict[str, str], webhook: str) -> KnownDesk:
    return KnownDesk(
        id=role.id, desk=role.desk, name=role.name, webhook=webhook, credentials=credentials, skills=role.skills
    )


def desk_variables(role: DeskRole, credentials: dict[str, str], sandbox: Running) -> dict[str, str]:
    """With which its example finds this account."""
    return {
        f"{role.prefix}_BASE_URL": sandbox.url,
        f"{role.prefix}_ACCOUNT": role.id,
        **{name: credentials.get(word, "") for name, word in role.credentials.items()},
        **{f"{role.prefix}_SKILL_{name.upper()}": id for name, id in role.skills.items()},
    }
