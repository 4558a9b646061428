"""Sets the stage: a sandbox that knows the senders of `examples/acme-air`, and the names that the example asks for.

What is secret (private key, tokens, the webhook's token) is made afresh under `data` with mode 0600 and kept there, so
that a demo that is started again is the same one.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import msgspec

from heliograph import plugs
from heliograph.clock import SystemClock
from heliograph.core.twin import KnownSender
from heliograph.sandbox import Pace, Running, World, make_service_account, read_account, serve
from heliograph.stage_whatsapp import declare

SITE = "25508804"
AGENT = "acme-air"
ACCOUNT_FILE = "acme-service-account.json"
TOKEN_FILE = "acme-webhook-token"
PACE = Pace()

# The example's senders: the provider, the channel and the sender's name in site.toml.
PLACES = {
    "google-rbm": ("rcs", "acme-rcs"),
    "whatsapp-cloud": ("wa", "acme-wa"),
    "twilio": ("sms", "acme-sms"),
}
WHATSAPP = "106540352242922"  # Meta's id of the number
WHATSAPP_NUMBER = "+17705550101"
TWILIO_NUMBER = "+17705550102"


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """A running sandbox, and the variables with which `examples/acme-air` finds it."""

    sandbox: Running
    variables: dict[str, str]
    senders: tuple[KnownSender, ...]

    def speak_to(self, base_url: str) -> None:
        """From now on what happens is told to the server at `base_url`."""
        for sender in self.senders:
            address = callback(base_url, sender.provider)
            self.sandbox.world.add_sender(msgspec.structs.replace(sender, webhook=address))


def callback(base_url: str, provider: str = "google-rbm") -> str:
    channel, sender = PLACES[provider]
    return f"{base_url}/callbacks/{channel}/{provider}/{SITE}/{sender}"


async def set_stage(
    data: Path,
    *,
    host: str,
    port: int,
    token: str = "",
    webhook: str = "",
    base_url: str = "",
    seed: int = 0,
    pace: Pace = PACE,
) -> Stage:
    """Starts the sandbox on `host`:`port` (0 takes a free one). `base_url`: the server that is told what happens;
    `webhook`: where the RBM agent's events go instead. Raises SetupError."""
    data = data.absolute()  # the site's file reads a relative name from its own folder
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    world = World(list(plugs.twins().values()), clock=SystemClock(), seed=seed, pace=pace)
    sandbox = await serve(world, host, port, token=token)
    url, client_token = sandbox.url, _client_token(data)
    senders = [KnownSender(id=AGENT, provider="google-rbm", name="Acme Air", secret=client_token)]
    variables = {
        "ACME_RBM_BASE_URL": url,
        "ACME_RBM_KEY_FILE": str(_account(data, world, url)),
        "ACME_RBM_AGENT": AGENT,
        "ACME_RBM_WEBHOOK_TOKEN": client_token,
    }
    if "whatsapp-cloud" in world.twins:
        known = _credentials(data, "whatsapp-cloud", world)
        senders.append(
            KnownSender(
                id=WHATSAPP, provider="whatsapp-cloud", name="Acme Air", address=WHATSAPP_NUMBER, credentials=known
            )
        )
        variables |= {"ACME_WA_BASE_URL": url, "ACME_WA_PHONE_NUMBER_ID": WHATSAPP}
        variables |= {f"ACME_WA_{name.upper()}": known[name] for name in ("access_token", "app_secret", "verify_token")}
    if "twilio" in world.twins:
        known = _credentials(data, "twilio", world)
        senders.append(KnownSender(id=TWILIO_NUMBER, provider="twilio", name="Acme Air", credentials=known))
        variables |= {"ACME_TWILIO_BASE_URL": url, "ACME_TWILIO_FROM": TWILIO_NUMBER}
        variables |= {f"ACME_TWILIO_{name.upper()}": known[name] for name in ("account_sid", "auth_token")}
    for sender in senders:
        world.add_sender(sender)
    stage = Stage(sandbox=sandbox, variables=variables, senders=tuple(senders))
    if base_url:
        stage.speak_to(base_url)
    if webhook:
        world.add_sender(msgspec.structs.replace(senders[0], webhook=webhook))
    if "whatsapp-cloud" in world.twins:
        declare(world, url, _credentials(data, "whatsapp-cloud", world))
    return stage


def _account(data: Path, world: World, url: str) -> Path:
    """The file of Google's service account: made by an earlier start, it keeps its key and gets this start's port."""
    account = data / ACCOUNT_FILE
    if account.exists():
        text = account.read_text("utf-8")
        read_account(world, text, name=ACCOUNT_FILE)
        document = msgspec.json.decode(text, type=dict[str, str])
        document["token_uri"] = f"{url}/token"
        write_private(account, msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n")
    else:
        write_private(account, make_service_account(world, token_uri=f"{url}/token"))
    return account


def _client_token(data: Path) -> str:
    token_file = data / TOKEN_FILE
    if not token_file.exists():
        write_private(token_file, secrets.token_urlsafe(24))
    return token_file.read_text("utf-8").strip()


def _credentials(data: Path, provider: str, world: World) -> dict[str, str]:
    """A sender's credentials, as its provider's look, kept from one start to the next."""
    path = data / f"acme-{provider}.json"
    if not path.exists():
        write_private(path, msgspec.json.encode(world.new_credentials(provider)).decode() + "\n")
    return msgspec.json.decode(path.read_bytes(), type=dict[str, str])


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner can read, whole or not at all."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(handle, text.encode())
    finally:
        os.close(handle)
    os.replace(draft, path)
