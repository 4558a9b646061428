"""Sets the stage: a sandbox with the examples' senders at every provider and their account at a desk, and what
`examples/acme-air` and `examples/acme-air-liveperson` ask for.

What is secret (the account's private key, tokens, passwords) is made afresh under `data` with mode 0600 and kept there,
so that a demo that is started again is the same one.
"""

from __future__ import annotations

import os
import secrets
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType

import msgspec

from heliograph import plugs
from heliograph.cast import (
    ACCOUNT_FILE,
    CARE,
    CAST,
    DESKS,
    GOOGLE,
    SITE,
    DeskRole,
    Role,
    desk_variables,
    known,
    known_desk,
    variables,
)
from heliograph.clock import SystemClock
from heliograph.core.ports import Call
from heliograph.core.twin import KnownDesk
from heliograph.errors import SetupError
from heliograph.sandbox import KnownSender, Pace, Running, World, make_service_account, read_account, serve

__all__ = ["CARE", "SITE", "Played", "PlayedDesk", "Stage", "Webhook", "set_stage", "write_private"]

TOKEN_FILE = "acme-webhook-token"
CREDENTIALS_FILE = "acme-credentials.json"
VARIABLES_FILE = "variables.sh"
PACE = Pace()

Webhook = Callable[[Role | DeskRole], str]


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """A sender of the stage: who it is, as whom its provider knows it, and the variables of the example for it."""

    role: Role
    known: KnownSender
    variables: dict[str, str]


class PlayedDesk(msgspec.Struct, frozen=True, kw_only=True):
    """An account at a desk, likewise."""

    role: DeskRole
    known: KnownDesk
    variables: dict[str, str]


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """A running sandbox, and the variables with which the examples find it."""

    sandbox: Running
    cast: tuple[Played, ...]
    desks: tuple[PlayedDesk, ...]
    data: Path

    @property
    def variables(self) -> dict[str, str]:
        told = [played.variables for played in self.cast] + [desk.variables for desk in self.desks]
        return {name: value for variables in told for name, value in variables.items()}

    @property
    def variables_file(self) -> Path:
        """The same as lines for a shell: `. variables.sh`."""
        return self.data / VARIABLES_FILE

    @property
    def exports(self) -> list[str]:
        return [f"export {name}={shlex.quote(value)}" for name, value in self.variables.items()]

    def speak_to(self, base_url: str) -> None:
        """From now on the senders' events and the desks' go to the server at `base_url`."""
        for played in self.cast:
            webhook = played.role.callback(base_url) if played.role.needs_webhook else ""
            self.sandbox.world.add_sender(msgspec.structs.replace(played.known, webhook=webhook))
        for desk in self.desks:
            known = msgspec.structs.replace(desk.known, webhook=desk.role.callback(base_url))
            self.sandbox.world.add_desk(known)


def templates() -> Path:
    """What Meta is to approve for the example: in the checkout, or inside the installed package."""
    here = Path(__file__).parent
    for place in (here.parents[1] / "examples", here / "examples"):
        if (place / "acme-air").is_dir():
            return place / "acme-air" / "whatsapp"
    return here / "none"


async def set_stage(
    data: Path,
    *,
    host: str,
    port: int,
    token: str = "",
    webhook: Webhook = lambda role: "",
    providers: Sequence[str] = (),
    line_ports: Mapping[str, int] = {},
    seed: int = 0,
    pace: Pace = PACE,
) -> Stage:
    """Starts the sandbox on `host`:`port` (0 takes a free one) with these `providers`, all if none is named. The
    WhatsApp account has the example's message templates. Raises SetupError."""
    data = data.absolute()  # the site's file reads a relative name from its own folder
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    twins, desk_twins = _twins(providers)
    world = World(twins, desk_twins=desk_twins, clock=SystemClock(), seed=seed, pace=pace)
    sandbox = await serve(world, host, port, token=token, line_ports=line_ports)
    try:
        kept = _kept(data)
        google = _google(data, sandbox) if GOOGLE in world.twins else {}
        cast = []
        for role in CAST:
            if role.provider not in world.twins:
                continue
            credentials = google if role.provider == GOOGLE else _credentials(role, world, kept)
            sender = known(role, credentials, webhook(role) if role.needs_webhook else "")
            world.add_sender(sender)
            named = variables(role, sender, sandbox, str(data / ACCOUNT_FILE))
            cast.append(Played(role=role, known=sender, variables=named))
        desks = [_desk(role, world, kept, sandbox, webhook(role)) for role in DESKS if role.desk in world.desk_twins]
        write_private(data / CREDENTIALS_FILE, msgspec.json.format(msgspec.json.encode(kept), indent=2).decode() + "\n")
        _declare(templates(), world)
        stage = Stage(sandbox=sandbox, cast=tuple(cast), desks=tuple(desks), data=data)
        write_private(stage.variables_file, "\n".join(stage.exports) + "\n")
    except BaseException:
        await sandbox.stop()
        raise
    return stage


def _twins(providers: Sequence[str]) -> tuple[list[ModuleType], list[ModuleType]]:
    """Those of providers, and those of desks."""
    found, desks = plugs.twins(), plugs.desk_twins()
    if strange := [name for name in providers if name not in found | desks]:
        played = ", ".join(sorted(found | desks))
        raise SetupError(
            f"The sandbox does not play {', '.join(strange)}; it plays {played}. Correct --provider.",
            code="no_such_provider",
        )
    twins, at_desks = (
        [twin for name, twin in some.items() if name in providers or not providers] for some in (found, desks)
    )
    return twins, at_desks


def _google(data: Path, sandbox: Running) -> dict[str, str]:
    """The service account's key file and the webhook's token."""
    account = data / ACCOUNT_FILE
    if account.exists():
        # Made by an earlier start: the same key, but this start's port.
        text = account.read_text("utf-8")
        read_account(sandbox.world, text, name=ACCOUNT_FILE)
        document = msgspec.json.decode(text, type=dict[str, str])
        document["token_uri"] = f"{sandbox.url}/token"
        write_private(account, msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n")
    else:
        write_private(account, make_service_account(sandbox.world, token_uri=f"{sandbox.url}/token"))
    token_file = data / TOKEN_FILE
    if not token_file.exists():
        write_private(token_file, secrets.token_urlsafe(24))
    return {"client_token": token_file.read_text("utf-8").strip()}


def _kept(data: Path) -> dict[str, dict[str, str]]:
    """The credentials of an earlier start, by provider."""
    file = data / CREDENTIALS_FILE
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, dict[str, str]])
    except FileNotFoundError:
        return {}
    except msgspec.DecodeError as fault:
        raise SetupError(
            f"{file} cannot be read: {fault}. Remove it; new credentials are made.", code="bad_credentials"
        ) from fault


def _credentials(role: Role, world: World, kept: dict[str, dict[str, str]]) -> dict[str, str]:
    """Those of an earlier start, or new ones in the provider's own form."""
    if role.provider not in kept:
        own = {word: secrets.token_hex(digits)[:digits] for word, digits in role.made.items()}
        kept[role.provider] = own | world.new_credentials(role.provider)
        if role.provider == "smpp":
            kept[role.provider]["system_id"] = role.id
    return kept[role.provider]


def _desk(role: DeskRole, world: World, kept: dict[str, dict[str, str]], sandbox: Running, webhook: str) -> PlayedDesk:
    """Registers the account, with the credentials of an earlier start or new ones."""
    if role.desk not in kept:
        kept[role.desk] = dict(world.desk_twins[role.desk].credentials(world.secret))
    known = known_desk(role, kept[role.desk], webhook)
    world.add_desk(known)
    return PlayedDesk(role=role, known=known, variables=desk_variables(role, known.credentials, sandbox))


def _declare(templates: Path, world: World) -> None:
    """Gives the WhatsApp account its message templates, by the API that Meta has for it."""
    twin = world.twins.get("whatsapp-cloud")
    sender = next(iter(world.known("whatsapp-cloud")), None)
    if twin is None or sender is None:
        return
    address = f"/v23.0/{sender.credentials.get('waba_id', sender.id)}/message_templates"
    headers = {"authorization": f"Bearer {sender.credentials['access_token']}", "content-type": "application/json"}
    for file in sorted(templates.glob("*.json")):
        call = Call(method="POST", url=f"http://sandbox{address}", headers=headers, body=file.read_bytes())
        answer = twin.answer(call, world)
        if answer.status != 200:
            raise SetupError(
                f"{file} is not a message template: the sandbox's WhatsApp answered {answer.status} "
                f"{answer.body[:300].decode('utf-8', 'replace')}",
                code="bad_template_file",
            )


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner can read, whole or not at all."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(handle, text.encode())
    finally:
        os.close(handle)
    os.replace(draft, path)
