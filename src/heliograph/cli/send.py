"""`heliograph send`: sign one call, post it, say what the answer means; or ask what it would do. Any server will do.

By default it is the documented call, signed by OAuth 1.0a; with a bearer key the native one. It calls once and never
repeats: whether a repeat is safe is in the answer.
"""

from __future__ import annotations

import http.client
import ssl
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from cyclopts import Group, Parameter

from heliograph.cli import given, native, say, signing
from heliograph.cli.answer import Meaning, meaning
from heliograph.errors import SetupError

PATH = "/api/proactiveAlert"
_ALERT = Group("The alert", sort_key=1)
_KEY = Group("The key", sort_key=2)


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
    bearer: Annotated[str, Parameter(group=_KEY)] = "",
    dry_run: Annotated[bool, given.Switch] = False,
    wait: int | None = None,
    timeout: float = 60.0,
    json: given.Json = False,
) -> int:
    """Sign one proactive alert, post it to URL once, print the answer and what it means.

    Exit code: 0 the provider took it, or it is scheduled or begun, 1 it was not sent, 3 the server refused the call
    (4xx), 4 nobody knows yet whether it was taken. With --dry-run: 0 it would be sent or held, 1 it would not.

    Parameters
    ----------
    url
        The server, as in https://alerts.acme.example. A path is kept: /api/proactiveAlert, or /v1/alerts for the native
        API, which a bearer key is for.
    site
        The site's id (siteId); that of the key file if not given.
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
    bearer
        A bearer key: the call goes to /v1/alerts, which answers at once. Where other users could see it, leave it in
        the key file or in the environment: HELIOGRAPH_SEND_BEARER.
    dry_run
        Send nothing: tell what would be decided, each message as it would be seen, its parts, its price, and what is in
        the way (POST /v1/alerts/explain).
    wait
        Seconds that the native API may wait for the outcome before it answers.
    timeout
        Seconds to wait for the answer.
    """
    given_by_option = {
        "siteId": site, "skill": skill, "customerCountryCode": country_code, "customerPhoneNumber": phone,
        "externalAlertId": external_alert_id, "proactiveChannel": channel, "proactiveLanguage": language,
        "proactiveTemplate": template, "proactiveTemplateVersion": template_version,
    }  # fmt: skip
    fields = {name: value for name, value in given_by_option.items() if value}
    body = _body(fields, var, file)
    _address(url, PATH)  # a wrong address is told before a missing key
    given_parts = dict(zip(signing.PARTS, (consumer_key, consumer_secret, token, token_secret, bearer), strict=True))
    parts = signing.parts(key_file, given_parts)
    if parts.site and not (site or file):
        body = _body({"siteId": parts.site, **fields}, var, file)
    address = _address(url, native.EXPLAIN if dry_run else native.PATH if parts.bearer else PATH)
    is_native = urlsplit(address).path.startswith("/v1/")
    headers = native.prefer(wait, is_native)
    if is_native:
        body = native.body_of(body)
    elif parts.bearer:
        raise say.NotUnderstood(f"A bearer key is for /v1 alone; {address} is signed by OAuth 1.0a.")
    headers |= signing.bearing(parts.bearer) if parts.bearer else signing.sign(address, body, parts, signature_method)
    status, answer_headers, answer, seconds = post(address, headers, body, timeout)
    means = (native.explained if dry_run else native.meaning if is_native else meaning)(status, answer_headers, answer)
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


def _address(url: str, path: str) -> str:
    """The address to call. A path of the caller's own is kept, but that of an alert where it is to be explained."""
    split = urlsplit(url)
    if split.scheme not in ("http", "https") or not split.hostname:
        raise say.NotUnderstood(f"{url} is no address: write it as https://alerts.acme.example.")
    replaced = ("", "/", PATH, native.PATH) if path == native.EXPLAIN else ("", "/")
    return f"{split.scheme}://{split.netloc}{path}" if split.path in replaced else url


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
    if means.outcome in ("send", "hold", "refuse") and isinstance(answer, dict):
        from heliograph.cli.explained import explained

        say.line()
        say.show(explained(answer))
    elif answer is not None:
        text = answer if isinstance(answer, str) else msgspec.json.format(body, indent=2).decode()
        say.line(text)
    say.line()
    say.line(means.sentence)
