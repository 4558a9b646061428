"""What an answer of the documented API means, in a sentence and an exit code. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class Meaning(msgspec.Struct, frozen=True, kw_only=True):
    """`outcome`: taken | scheduled | not_sent | refused | in_doubt."""

    outcome: str
    exit: int
    sentence: str


def meaning(status: int | None, headers: Mapping[str, str], body: bytes) -> Meaning:
    """`status` None: the connection broke after the call may have been read. Header names in lower case."""
    if status is None:
        return Meaning(
            outcome="in_doubt",
            exit=4,
            sentence="The connection broke before the answer came, so the message may be on its way. The same call "
            "again within 60 s is answered from the record; later, look first: `heliograph alerts list`.",
        )
    try:
        answer = msgspec.json.decode(body)
    except msgspec.DecodeError:
        answer = None
    said: dict[str, Any] = answer if isinstance(answer, dict) else {}
    alert = headers.get("heliograph-alert", "")
    follow = f" Follow it: `heliograph alerts show {alert}`." if alert else ""
    if status == 200 and said.get("success") is True:
        return _taken(said, headers, follow)
    if status == 200 and said.get("success") == "false":
        return _failed(said, follow)
    if status == 502 and said.get("success") is False:
        return _failed(said, follow)  # a site with failures = "status"
    if 400 <= status < 500:
        return _refused(status, headers, said, follow)
    if status >= 500:
        wait = f" after {headers['retry-after']} s" if "retry-after" in headers else ""
        return Meaning(
            outcome="not_sent",
            exit=1,
            sentence=f"The server could not take the call. Nothing was handed to a provider; repeat it{wait}.",
        )
    return Meaning(
        outcome="in_doubt",
        exit=4,
        sentence=f"{status} is no answer of this API. Is the address right? A server of the API answers 200, 4xx or "
        "5xx with JSON.",
    )


def _taken(said: Mapping[str, Any], headers: Mapping[str, str], follow: str) -> Meaning:
    response = said.get("response")
    if isinstance(response, dict) and response.get("state") == "scheduled":
        return Meaning(
            outcome="scheduled", exit=0, sentence=f"Held on purpose; it is sent at {response.get('sendAt')}.{follow}"
        )
    channel = headers.get("heliograph-channel", "")
    by = f" on {channel}" if channel else ""
    if headers.get("idempotent-replayed", "").lower() == "true":
        return Meaning(
            outcome="taken", exit=0, sentence=f"This call was taken before{by}; nothing was sent again.{follow}"
        )
    return Meaning(outcome="taken", exit=0, sentence=f"The provider took the message{by}.{follow}")


def _failed(said: Mapping[str, Any], follow: str) -> Meaning:
    try:
        why = msgspec.json.decode(said.get("message") or "{}")
    except (msgspec.DecodeError, TypeError):
        why = {}
    why = why if isinstance(why, dict) else {}
    code, detail = why.get("code", "no code"), why.get("detail", "")
    if code == "in_doubt":
        return Meaning(
            outcome="in_doubt",
            exit=4,
            sentence="It was handed over and no word came back in time. Do not repeat it: the server settles it by a "
            f"receipt, or by the same message id.{follow}",
        )
    again = "It may be repeated." if why.get("retryable") else "Repeating it will not help."
    return Meaning(
        outcome="not_sent", exit=1, sentence=f"It was not sent ({code}). {detail} {again}{follow}".replace("  ", " ")
    )


def _refused(status: int, headers: Mapping[str, str], said: Mapping[str, Any], follow: str) -> Meaning:
    error = str(said.get("error") or "The answer does not say why.")
    fields = said.get("fields")
    if isinstance(fields, dict) and fields:
        # `error` holds the same sentences in one line.
        error = "".join(f"\n  {name}: {text}" for name, text in fields.items()).rstrip() + "\n"
    elif not error.endswith((".", "!", "?")):
        error = f"{error}."  # the two sentences that the API's page gives have no full stop
    step = {
        403: " A key belongs to one site: use a key of this siteId.",
        404: " Is the address right? The path is /api/proactiveAlert.",
        429: f" Repeat it after {headers['retry-after']} s." if "retry-after" in headers else " Repeat it later.",
    }.get(status, "")
    if status == 401 and error == "No Authorization Header.":
        step = " A proxy may have taken it off: HTTP proxies keep Authorization only where they are told to."
    if error == "Failed Compatibility Check.":
        step = " No channel of the site can reach this number, or the one that the call names cannot."
    return Meaning(
        outcome="refused",
        exit=3,
        sentence=f"The call was refused; nothing was sent: {error}{step}{follow}".replace(": \n", ":\n", 1).rstrip(),
    )
