"""Sets the stage: a sandbox with one service account and one agent, and the names that `examples/acme-air` asks for.

What is secret (the account's private key, the webhook's token) is made afresh under `data` with mode 0600 and kept
there, so that a demo that is started again is the same one.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import msgspec

from heliograph import plugs
from heliograph.clock import SystemClock
from heliograph.sandbox import KnownSender, Pace, Running, World, make_service_account, read_account, serve

SITE = "25508804"
SENDER = "acme-rcs"
AGENT = "acme-air"
ACCOUNT_FILE = "acme-service-account.json"
TOKEN_FILE = "acme-webhook-token"
PACE = Pace()


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """A running sandbox, and the variables with which `examples/acme-air` finds it."""

    sandbox: Running
    variables: dict[str, str]

    def speak_to(self, base_url: str) -> None:
        """From now on the agent's events go to the server at `base_url`."""
        self.sandbox.world.add_sender(_agent(callback(base_url), self.variables["ACME_RBM_WEBHOOK_TOKEN"]))


def callback(base_url: str) -> str:
    return f"{base_url}/callbacks/rcs/google-rbm/{SITE}/{SENDER}"


async def set_stage(
    data: Path,
    *,
    host: str,
    port: int,
    token: str = "",
    webhook: str = "",
    seed: int = 0,
    pace: Pace = PACE,
) -> Stage:
    """Starts the sandbox on `host`:`port` (0 takes a free one). Raises SetupError."""
    data = data.absolute()  # the site's file reads a relative name from its own folder
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    world = World(list(plugs.twins().values()), clock=SystemClock(), seed=seed, pace=pace)
    sandbox = await serve(world, host, port, token=token)
    account = data / ACCOUNT_FILE
    if account.exists():
        # Made by an earlier start: the same key, but this start's port.
        text = account.read_text("utf-8")
        read_account(world, text, name=ACCOUNT_FILE)
        document = msgspec.json.decode(text, type=dict[str, str])
        document["token_uri"] = f"{sandbox.url}/token"
        write_private(account, msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n")
    else:
        write_private(account, make_service_account(world, token_uri=f"{sandbox.url}/token"))
    token_file = data / TOKEN_FILE
    if not token_file.exists():
        write_private(token_file, secrets.token_urlsafe(24))
    client_token = token_file.read_text("utf-8").strip()
    world.add_sender(_agent(webhook, client_token))
    variables = {
        "ACME_RBM_BASE_URL": sandbox.url,
        "ACME_RBM_KEY_FILE": str(account),
        "ACME_RBM_AGENT": AGENT,
        "ACME_RBM_WEBHOOK_TOKEN": client_token,
    }
    return Stage(sandbox=sandbox, variables=variables)


def _agent(webhook: str, client_token: str) -> KnownSender:
    return KnownSender(id=AGENT, provider="google-rbm", name="Acme Air", webhook=webhook, secret=client_token)


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner can read, whole or not at all."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(handle, text.encode())
    finally:
        os.close(handle)
    os.replace(draft, path)
