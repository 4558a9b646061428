"""`heliograph send`: sign one call with OAuth 1.0a, post it, say what the answer means. Any server will do.

Signed with oauthlib, so that the server's own verifier is never proved by our own signer. It calls once and never
repeats: whether a repeat is safe is in the answer.
"""

from __future__ import annotations

import http.client
import os
import ssl
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from cyclopts import Group, Parameter

from heliograph.cli import given, say
from heliograph.cli.answer import Meaning, meaning
from heliograph.errors import SetupError

PATH = "/api/proactiveAlert"
_ALERT = Group("The alert", sort_key=1)
_KEY = Group("The key", sort_key=2)
_PARTS = ("consumer_key", "consumer_secret", "token", "token_secret")


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """The four parts of a key; extra names in a key file are ignored (`keys create --json` writes `site` too)."""

    consumer_key: str
    consumer_secret: str
    token: str = ""
    token_secret: str = ""


def send(
    url: str,
    /,
    *,
    site: Annotated[str, Parameter(group=_ALERT)] = "",
    template: Annotated[str, Parameter(group=_ALERT)] = "",
    language: Annotated[str, Parameter(group=_ALERT)] = "",
    country_code: Annotated[str, Parameter(group=_ALERT)] = "",
    phone: Annotated[str, Parameter(group=_ALERT)] = "",
    skill: Annotated[str, Parameter(group=_ALERT)] = "",
    var: Annotated[tuple[str, ...], Parameter(group=_ALERT, negative="", show_default=False)] = (),
    channel: Annotated[str, Parameter(group=_ALERT)] = "",
    template_version: Annotated[str, Parameter(group=_ALERT)] = "",
    external_alert_id: Annotated[str, Parameter(group=_ALERT)] = "",
    file: Annotated[str, Parameter(group=_ALERT)] = "",
    key_file: Annotated[Path | None, Parameter(group=_KEY, show_default=False)] = None,
    consumer_key: Annotated[str, Parameter(group=_KEY)] = "",
    consumer_secret: Annotated[str, Parameter(group=_KEY)] = "",
    token: Annotated[str, Parameter(group=_KEY)] = "",
    token_secret: Annotated[str, Parameter(group=_KEY)] = "",
    signature_method: Annotated[
        Literal["HMAC-SHA1", "HMAC-SHA256", "HMAC-SHA512"], Parameter(group=_KEY)
    ] = "HMAC-SHA1",
    timeout: float = 60.0,
    json: given.Json = False,
) -> int:
    """Sign one proactive alert, post it to URL once, print the answer and what it means.

    Exit code: 0 the provider took it or it is scheduled, 1 it was not sent, 3 the server refused the call (4xx),
    4 nobody knows yet whether it was taken.

    Parameters
    ----------
    url
        The server, as in https://alerts.acme.example; another path than /api/proactiveAlert is kept.
    site
        The site's id (siteId).
    template
        The template's name (proactiveTemplate).
    language
        As a word or a tag: english, en, en-US (proactiveLanguage).
    country_code
        The recipient's country code, as in 1 (customerCountryCode).
    phone
        The recipient's number in that country (customerPhoneNumber).
    skill
        Who answers replies (skill).
    channel
        This channel alone: rcs, wa or sms (proactiveChannel).
    template_version
        A tag of the version to use (proactiveTemplateVersion).
    external_alert_id
        Your own id; the same call with the same id is one alert (externalAlertId).
    var
        A variable of the template, as in --var Gate=C35; once for each.
    file
        The whole body as JSON from a file, or from standard input with "-", sent byte for byte.
    key_file
        A file with the four parts, as `heliograph keys create SITE --json` prints them.
    consumer_key
        A part of the key by itself, or in the environment, where other users cannot see it:
        HELIOGRAPH_SEND_CONSUMER_KEY, …_CONSUMER_SECRET, …_TOKEN, …_TOKEN_SECRET.
    timeout
        Seconds to wait for the answer.
    """
    given_by_option = {
        "siteId": site, "skill": skill, "customerCountryCode": country_code, "customerPhoneNumber": phone,
        "externalAlertId": external_alert_id, "proactiveChannel": channel, "proactiveLanguage": language,
        "proactiveTemplate": template, "proactiveTemplateVersion": template_version,
    }  # fmt: skip
    body = _body({name: value for name, value in given_by_option.items() if value}, var, file)
    address = _address(url)
    parts = _parts(key_file, dict(zip(_PARTS, (consumer_key, consumer_secret, token, token_secret), strict=True)))
    headers = sign(address, body, parts, signature_method)
    status, answer_headers, answer, seconds = post(address, headers, body, timeout)
    means = meaning(status, answer_headers, answer)
    _print(address, status, answer_headers, answer, seconds, means, json)
    return means.exit


def _body(fields: dict[str, Any], variables: tuple[str, ...], file: str) -> bytes:
    if file:
        if fields or variables:
            raise say.NotUnderstood("--file is the whole body; leave out the options of the alert.")
        if file == "-":
            return sys.stdin.buffer.read()
        try:
            return Path(file).read_bytes()
        except OSError as error:
            raise SetupError(f"{file} cannot be read: {error.strerror}. Correct --file.", code="file") from None
    if not fields:
        raise say.NotUnderstood("There is nothing to send: give --site, --template, --phone … or --file.")
    pairs = {}
    for one in variables:
        name, equals, value = one.partition("=")
        if not equals or not name:
            raise say.NotUnderstood(f"--var {one} is not NAME=VALUE, as in --var Gate=C35.")
        pairs["@" + name.removeprefix("@")] = value
    return msgspec.json.encode({**fields, "proactiveVariables": pairs})


def _address(url: str) -> str:
    split = urlsplit(url)
    if split.scheme not in ("http", "https") or not split.hostname:
        raise say.NotUnderstood(f"{url} is no address: write it as https://alerts.acme.example.")
    return url if split.path not in ("", "/") else f"{split.scheme}://{split.netloc}{PATH}"


def _parts(key_file: Path | None, options: dict[str, str]) -> Parts:
    """The key: from options, else the file, else the environment."""
    if key_file is not None and not options["consumer_key"]:
        try:
            return msgspec.json.decode(key_file.read_bytes(), type=Parts)
        except OSError as error:
            raise SetupError(f"{key_file} cannot be read: {error.strerror}. Correct --key-file.", code="file") from None
        except msgspec.DecodeError as error:
            raise SetupError(
                f"{key_file} does not hold a key: {error}. `heliograph keys create SITE --json` prints one.",
                code="file",
            ) from None
    found = {name: options[name] or os.environ.get(f"HELIOGRAPH_SEND_{name.upper()}", "") for name in _PARTS}
    if not found["consumer_key"] or not found["consumer_secret"]:
        raise say.NotUnderstood(
            "There is no key to sign with: give --key-file, or --consumer-key and --consumer-secret (with --token and "
            "--token-secret). `heliograph keys create SITE` makes one."
        )
    return Parts(**found)


def sign(url: str, body: bytes, parts: Parts, method: str = "HMAC-SHA1") -> dict[str, str]:
    """The headers of a signed JSON call. The body's hash is signed with it (oauth_body_hash)."""
    from oauthlib.oauth1 import Client

    client = Client(
        parts.consumer_key,
        client_secret=parts.consumer_secret,
        resource_owner_key=parts.token or None,
        resource_owner_secret=parts.token_secret or None,
        signature_method=method,
    )
    plain = {"Content-Type": "application/json", "Accept": "application/json"}
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise SetupError("The body is not UTF-8. Save it as UTF-8; JSON is nothing else.", code="body") from None
    _, headers, _ = client.sign(url, "POST", body=text, headers=plain)
    return {str(name): str(value) for name, value in headers.items()}


def post(
    url: str, headers: Mapping[str, str], body: bytes, timeout: float
) -> tuple[int | None, dict[str, str], bytes, float]:
    """Status (None: the connection broke after the call may have been read), headers in lower case, body, seconds.

    Raises SetupError where nothing can have been read: no such host, refused, TLS. Redirects are not followed.
    """
    split = urlsplit(url)
    connect = http.client.HTTPSConnection if split.scheme == "https" else http.client.HTTPConnection
    connection = connect(split.hostname or "", split.port, timeout=timeout)
    began = time.monotonic()
    try:
        connection.connect()
    except ssl.SSLError as error:
        raise SetupError(
            f"{split.netloc} offers no good TLS: {error.reason or error}. Check the address.", code="tls"
        ) from None
    except OSError as error:
        raise SetupError(
            f"{split.netloc} cannot be reached: {error.strerror or error}. Nothing was sent. Is a server running?",
            code="no_connection",
        ) from None
    try:
        target = split.path + (f"?{split.query}" if split.query else "")
        connection.request("POST", target, body=body, headers=dict(headers))
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, found, answer.read(), time.monotonic() - began
    except (OSError, http.client.HTTPException):
        return None, {}, b"", time.monotonic() - began
    finally:
        connection.close()


def _print(
    url: str, status: int | None, headers: Mapping[str, str], body: bytes, seconds: float, means: Meaning, json: bool
) -> None:
    try:
        answer = msgspec.json.decode(body) if body else None
    except msgspec.DecodeError:
        answer = body.decode(errors="replace")
    if json:
        ours = {name: value for name, value in headers.items() if name.startswith("heliograph-")}
        say.data({
            "url": url, "status": status, "milliseconds": round(seconds * 1000), "outcome": means.outcome,
            "meaning": means.sentence, "headers": ours, "answer": answer,
        })  # fmt: skip
        return
    say.line(f"POST {url}")
    if status is not None:
        reason = http.client.responses.get(status, "")
        say.line(f"{status} {reason} in {seconds * 1000:.0f} ms")
    if answer is not None:
        text = answer if isinstance(answer, str) else msgspec.json.format(body, indent=2).decode()
        say.line(text)
    say.line()
    say.line(means.sentence)
