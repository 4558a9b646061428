"""Content type and coding of a call that has to be JSON in UTF-8. Pure."""

from __future__ import annotations

from heliograph.web.call import WebCall

_usual_types = frozenset({b"application/json", b"application/json; charset=utf-8", b"application/json;charset=UTF-8"})


def wrong(call: WebCall) -> str:
    """What is wrong with the content type; empty where nothing is."""
    sent = call.headers.get(b"content-type", b"")
    if sent not in _usual_types:
        kind, _, rest = sent.decode("latin-1").partition(";")
        if kind.strip().lower() != "application/json":
            shown = "".join(letter if letter.isprintable() else "?" for letter in kind.strip()[:80])
            said = f"the call sends {shown}" if shown else "the call does not say what it sends"
            return f"The body must be JSON, {said}. Send Content-Type: application/json."
        charset = _charset(rest)
        if charset not in ("", "utf-8", "utf8", "us-ascii") and not call.body.isascii():
            return f"The body must be UTF-8, the call's Content-Type says charset={charset[:40]}. Send UTF-8."
    coding = call.header(b"content-encoding").strip().lower()
    if coding not in ("", "identity"):
        return f"The body must not be compressed, the call's Content-Encoding says {coding[:40]}. Send it as it is."
    return ""


def _charset(parameters: str) -> str:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return "".join(letter for letter in value.strip(' "\t').lower() if letter.isprintable())
    return ""
