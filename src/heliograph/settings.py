"""Every setting of heliograph: one table, read from heliograph.toml < environment HELIOGRAPH_* < command line.

The table is the struct `Settings`: a row is `name: type = default` with its help. Nothing here reads a file or the
environment; app.py and the command line hand in mappings.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
import typing
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from heliograph.errors import SetupError

PREFIX = "HELIOGRAPH_"
FILE = "heliograph.toml"
FILE_VARIABLE = "HELIOGRAPH_CONFIG"  # where the file is, if not in the working directory
SEND_PREFIX = "HELIOGRAPH_SEND_"  # read by `heliograph send` alone: the caller's side, no setting of a server
SECRET_KEY_LENGTH = 16  # characters at least; one that heliograph makes has 43 (256 bits)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Port = Annotated[int, Meta(ge=0, le=65_535)]
Count = Annotated[int, Meta(ge=1)]
Seconds = Annotated[int, Meta(ge=0)]
Wait = Annotated[float, Meta(gt=0)]
Secret = Annotated[str, Meta(extra={"secret": True})]


def says(text: str) -> Meta:
    return Meta(description=text)


class Settings(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """The settings in force. Durations are seconds unless the help says otherwise."""

    # Where it stands
    database_url: Annotated[
        str, says("Where everything is kept: sqlite:///file.db (embedded, one process) or postgresql://user@host/name")
    ] = "sqlite:///heliograph.db"
    host: Annotated[str, says("Address the server listens on")] = "127.0.0.1"
    port: Annotated[Port, says("Port the server listens on; 0 takes a free one")] = 8080
    private_port: Annotated[
        Port | None, says("Second listener for metrics and details; without it private pages answer loopback only")
    ] = None
    public_url: Annotated[
        str, says("How callers and providers reach this server, e.g. https://alerts.acme.example; signatures cover it")
    ] = ""
    trusted_proxies: Annotated[
        str, says("Addresses or networks, comma separated, whose forwarding headers are believed")
    ] = ""
    # Secrets
    secret_key: Annotated[
        Secret, says("Seals secrets in the database; several, comma separated, newest first, while rotating")
    ] = ""
    # One call
    call_deadline: Annotated[Wait, says("How long one call may take before it is answered, seconds")] = 20.0
    oauth_window: Annotated[Count, says("How far a caller's clock may differ, seconds either way")] = 300
    repeat_window: Annotated[Seconds, says("How long the same call again is one alert, seconds")] = 86_400
    failed_credentials: Annotated[Count, says("Calls with wrong credentials per minute and address, then 429")] = 20
    max_concurrency: Annotated[Count, says("Calls under way at once; more are answered 503")] = 2_000
    # The console
    console: Annotated[bool, says("Serve the console: log-in, inbox, alerts, opt-outs, audit log")] = True
    session_idle: Annotated[Count, says("How long a log-in to the console lasts unused, seconds")] = 7_200
    session_length: Annotated[Count, says("How long a log-in to the console lasts in any case, seconds")] = 43_200
    failed_logins: Annotated[
        Count, says("Failed log-ins per name and address in 15 minutes; 4 times as many per address, 6 per name")
    ] = 10
    # What HTTP callers may do
    body_limit: Annotated[Count, says("Largest body of a call, bytes; a provider's callback may have 4 MiB")] = 262_144
    header_limit: Annotated[Count, says("Most headers of a call")] = 100
    header_size: Annotated[Count, says("Largest head of a call, bytes")] = 32_768
    body_timeout: Annotated[Wait, says("How long an announced body may take to come, seconds")] = 10.0
    idle_timeout: Annotated[Wait, says("How long an idle connection is kept, seconds")] = 30.0
    # Channels
    capability_yes: Annotated[Seconds, says("How long 'can be reached' is believed, seconds")] = 86_400
    capability_no: Annotated[Seconds, says("How long 'cannot be reached' is believed, seconds")] = 3_600
    repeat_sends_for: Annotated[
        Seconds, says("How long a send whose answer was lost is repeated where the provider ignores repeats, seconds")
    ] = 600
    revoke_settle: Annotated[Annotated[float, Meta(ge=0)], says("Wait for a late delivery after a revoke, seconds")] = (
        5.0
    )
    breaker_share: Annotated[
        Wait,
        says("Share of a sender's hand-overs that fail before it is left alone; above 1 only faults in a row count"),
    ] = 0.5
    breaker_pause: Annotated[
        Wait, says("How long such a sender is left alone at first, seconds; doubled with each failed return, to 300")
    ] = 10.0
    breaker_back: Annotated[
        Annotated[float, Meta(ge=0)], says("How long all recipients take to come back to it after a success, seconds")
    ] = 60.0
    in_doubt_for: Annotated[
        Seconds, says("How long a send that cannot be repeated is in doubt before the site's rule settles it, seconds")
    ] = 120
    allow_private_addresses: Annotated[bool, says("Call providers and webhooks at private addresses (tests)")] = False
    allowed_hosts: Annotated[str, says("The only hosts that are called, comma separated; empty: any")] = ""
    sandbox_hosts: Annotated[
        str, says("The sandbox's hosts, comma separated; test keys reach senders that speak to these alone")
    ] = "localhost,127.0.0.1,[::1]"
    # Running
    log_level: Annotated[Literal["debug", "info", "warning", "error"], says("Least level that is logged")] = "info"
    log_format: Annotated[Literal["json", "text"], says("json for programs, text for a terminal")] = "json"
    stop_timeout: Annotated[Seconds, says("How long a stop waits for what is under way, seconds")] = 30
    # The sandbox
    sandbox_host: Annotated[str, says("Address the sandbox listens on")] = "127.0.0.1"
    sandbox_port: Annotated[Port, says("Port the sandbox listens on; 0 takes a free one")] = 8090
    sandbox_token: Annotated[Secret, says("Asked of everyone where the sandbox does not listen on loopback")] = ""

    @cached_property
    def secret_keys(self) -> tuple[str, ...]:
        return parts(self.secret_key)

    @cached_property
    def allowed_host_names(self) -> tuple[str, ...]:
        return parts(self.allowed_hosts)

    @cached_property
    def sandbox_host_names(self) -> tuple[str, ...]:
        return parts(self.sandbox_hosts)

    @property
    def embedded(self) -> bool:
        """Whether the database is a file of this machine (SQLite)."""
        return self.database_url.startswith("sqlite:")

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{name}={text}' for name, text in shown(self).items())})"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One setting as the table states it. `type` in words; `form` is what a value is held against."""

    name: str
    default: Any
    type: str
    help: str
    secret: bool
    form: Any

    @property
    def variable(self) -> str:
        return PREFIX + self.name.upper()

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")


def _row(field: msgspec.structs.FieldInfo) -> Row:
    marks = [mark for mark in typing.get_args(field.type)[1:] if isinstance(mark, Meta)]
    help_text = next(mark.description for mark in marks if mark.description)
    secret = any((mark.extra or {}).get("secret") for mark in marks)
    return Row(
        name=field.name, default=field.default, type=in_words(msgspec.json.schema(field.type)), help=help_text,
        secret=secret, form=field.type,
    )  # fmt: skip


def in_words(schema: dict[str, Any]) -> str:
    """A JSON schema in words: `a whole number from 0 to 65535`. Raises KeyError where it has no plain type."""
    if "anyOf" in schema:
        return next(in_words(one) for one in schema["anyOf"] if one.get("type") != "null")
    if "enum" in schema:
        return "one of " + ", ".join(schema["enum"])
    low, high, above = schema.get("minimum"), schema.get("maximum"), schema.get("exclusiveMinimum")
    word = {"integer": "a whole number", "number": "a number", "boolean": "true or false", "string": "text"}[
        schema["type"]
    ]
    if high is not None:
        return f"{word} from {low} to {high}"
    if above is not None:
        return f"{word} above {above:g}"
    return f"{word}, {low:g} or more" if low is not None else word


TABLE: tuple[Row, ...] = tuple(_row(field) for field in msgspec.structs.fields(Settings))
_BY_NAME = {row.name: row for row in TABLE}


def load(
    file: Mapping[str, Any], environ: Mapping[str, str], flags: Mapping[str, Any], *, file_name: str = FILE
) -> Settings:
    """The settings in force. `flags` by name (`database_url`), None = not given. Raises SetupError that names every
    wrong setting, where its value came from and what to do."""
    faults: list[str] = []
    values: dict[str, Any] = {}
    for row, value, source in _given(file, environ, flags, file_name, faults):
        try:
            values[row.name] = _checked(row, value)
        except ValueError as fault:
            faults.append(_fault(row, value, source, str(fault)))
    if faults:
        raise SetupError("\n".join(faults), code="settings")
    return Settings(**values)


def origins(
    file: Mapping[str, Any], environ: Mapping[str, str], flags: Mapping[str, Any], *, file_name: str = FILE
) -> dict[str, str]:
    """Where each value comes from: a file's name, a variable's, a flag's, or `default`."""
    found = {row.name: "default" for row in TABLE}
    for row, _, source in _given(file, environ, flags, file_name, []):
        found[row.name] = source
    return found


def shown(settings: Settings) -> dict[str, Any]:
    """Every setting as it may be shown: a secret is `set` or `not set`, a password in a URL is `***`."""
    out: dict[str, Any] = {}
    for row in TABLE:
        value = getattr(settings, row.name)
        if row.secret:
            value = "set" if value else "not set"
        elif row.name == "database_url":
            value = re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", value)
            value = re.sub(r"(?i)(password=)[^&]*", r"\1***", value)
        out[row.name] = value
    return out


def reference_markdown() -> str:
    """The page docs/reference/settings.md."""
    lines = [
        "# Settings",
        "",
        f"Read from `{FILE}` (another path: `--config` or `{FILE_VARIABLE}`), then the environment, then the command "
        "line; the later one wins. `heliograph settings` prints the values in force and where each comes from.",
        "",
        "| in the file | in the environment | default | value | what it does |",
        "|---|---|---|---|---|",
    ]
    for row in TABLE:
        default = "" if row.default in ("", None) else f"`{msgspec.json.encode(row.default).decode().strip(chr(34))}`"
        text = row.help + (" (secret, never printed)" if row.secret else "")
        lines.append(f"| `{row.name}` | `{row.variable}` | {default} | {row.type} | {text} |")
    lines += ["", "On the command line a name is written with dashes: `--database-url sqlite:///alerts.db`.", ""]
    return "\n".join(lines)


def close(word: str, words: Sequence[str]) -> str:
    """` Did you mean port?` with a leading space, or nothing. Also used by the site files."""
    found = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    return f" Did you mean {found[0]}?" if found else ""


def parts(text: str) -> tuple[str, ...]:
    """What stands between commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


# Kubernetes puts the address of a Service named "heliograph" into every pod under these names; they are not ours.
_SERVICE_LINK = re.compile(r"HELIOGRAPH_(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)")


def _given(
    file: Mapping[str, Any], environ: Mapping[str, str], flags: Mapping[str, Any], file_name: str, faults: list[str]
) -> list[tuple[Row, Any, str]]:
    """Each given value in rising order, one per setting; unknown names go to `faults`."""
    found: dict[str, tuple[Row, Any, str]] = {}
    names = list(_BY_NAME)
    for name, value in file.items():
        if row := _BY_NAME.get(name):
            found[name] = (row, value, file_name)
        else:
            faults.append(
                f"{file_name} has an unknown setting {name}.{close(name, names)} `heliograph settings` lists them all."
            )
    for variable, text in environ.items():
        if not variable.startswith(PREFIX) or variable == FILE_VARIABLE or variable.startswith(SEND_PREFIX):
            continue
        name = variable[len(PREFIX) :].lower()
        if row := _BY_NAME.get(name):
            if text != "":  # an empty variable is one that compose files and shells leave behind
                found[name] = (row, text, variable)
        elif not _SERVICE_LINK.fullmatch(variable):
            hint = close(variable, [row.variable for row in TABLE])
            faults.append(f"The environment has an unknown setting {variable}.{hint} Correct or unset it.")
    for name, value in flags.items():
        if value is None:
            continue
        if row := _BY_NAME.get(name):
            found[name] = (row, value, row.flag)
        else:
            hint = close("--" + name.replace("_", "-"), [row.flag for row in TABLE])
            faults.append(f"There is no option --{name.replace('_', '-')}.{hint} See --help.")
    return list(found.values())


_YES = {"yes": True, "on": True, "no": False, "off": False}


def _checked(row: Row, value: Any) -> Any:
    """The value in its type. Raises ValueError with what is wrong, or nothing where the type says it all."""
    if isinstance(row.default, bool) and isinstance(value, str):
        value = _YES.get(value.lower(), value)
    if isinstance(row.default, str) and not isinstance(value, str):
        raise ValueError("")
    try:
        value = msgspec.convert(value, row.form, strict=False)
    except msgspec.ValidationError as fault:
        raise ValueError("") from fault
    check = _CHECKS.get(row.name)
    return check(value) if check and value else value


def _fault(row: Row, value: Any, source: str, fault: str) -> str:
    said = "has a value that does not serve" if row.secret else f'is "{value}"'
    hint = fault or f"{row.type[0].upper()}{row.type[1:]} is needed."
    if source == "HELIOGRAPH_PORT" and str(value).startswith("tcp://"):
        hint = "Kubernetes sets it for a Service of that name: put `enableServiceLinks: false` into the pod's spec."
    named = "" if source == row.variable else f" (from {source})"
    return f"{row.name if named else row.variable}{named} {said}. {hint}"


# ── What a type alone cannot say ────────────────────────────────────────────────────────────────────────────────────


def _database(url: str) -> str:
    if url.startswith(("sqlite:///", "postgresql://", "postgres://")):
        return url
    raise ValueError("Write sqlite:///file.db, sqlite:////full/path.db or postgresql://user@host/name.")


def _public(url: str) -> str:
    split = urlsplit(url)
    if split.scheme not in ("http", "https") or not split.hostname:
        raise ValueError("Write scheme and host, as in https://alerts.acme.example.")
    if split.path.strip("/") or split.query or split.fragment or "@" in split.netloc:
        raise ValueError("Leave out all but scheme, host and port: the documented paths stand at the host's root.")
    return f"{split.scheme}://{split.netloc}"


def _networks(text: str) -> str:
    for part in parts(text):
        try:
            ipaddress.ip_network(part, strict=False)
        except ValueError:
            raise ValueError(f"{part} is no address or network: write 10.0.0.5 or 10.0.0.0/8.") from None
    return text


def _secret_keys(text: str) -> str:
    for part in parts(text):
        if len(part) < SECRET_KEY_LENGTH:
            raise ValueError(
                f"A key is {len(part)} characters, {SECRET_KEY_LENGTH} or more are needed: "
                "`heliograph keys secret` makes one."
            )
    return text


_CHECKS = {
    "database_url": _database,
    "public_url": _public,
    "trusted_proxies": _networks,
    "secret_key": _secret_keys,
}
