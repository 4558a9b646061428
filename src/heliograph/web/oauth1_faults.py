"""What is said to a caller whose OAuth 1.0a credentials are not taken: one sentence per mistake, each a 401."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from heliograph.errors import CallRefused

SET_PUBLIC_URL = "if you signed another address, a proxy changes it: set HELIOGRAPH_PUBLIC_URL"
_LONGEST_SHOWN = 500  # characters of a URL or a value that are repeated to the caller


class OAuthFault(CallRefused):
    """Credentials that are not taken; `sentence` is the 401's `error`, to the letter.

    `signed`: the signature was right all the same, so the call's nonce must be spent before the answer leaves (else the
    same header would serve for another body).
    """

    def __init__(self, sentence: str, *, code: str, signed: bool = False) -> None:
        super().__init__(sentence, code=code)
        self.signed = signed


def no_header() -> OAuthFault:
    """No credentials at all. The sentence stands on the API's page."""
    return OAuthFault("No Authorization Header", code="no_authorization")


def in_query() -> OAuthFault:
    """OAuth parameters in the query (RFC 5849 section 3.5.3), which this API does not take."""
    return OAuthFault(
        "The query holds oauth_ parameters, which are not taken there. Send them in the Authorization header "
        "(RFC 5849 section 3.5.1).",
        code="credentials_in_query",
    )


def other_scheme(scheme: str) -> OAuthFault:
    """Basic, Bearer and the like. Only what is surely a scheme's name is repeated: all else may be a secret."""
    said = f"but {scheme}" if scheme.isalpha() and len(scheme) <= 20 else "by its first word"
    return OAuthFault(
        f"The Authorization header is not OAuth {said}. "
        'Sign the call with OAuth 1.0a: Authorization: OAuth oauth_consumer_key="...", ...',
        code="malformed_authorization",
    )


def malformed(what: str) -> OAuthFault:
    """The header cannot be read; `what` is a sentence without its end."""
    return OAuthFault(
        f'The Authorization header is malformed: {what}. It must read: OAuth name="value", name="value", '
        "with percent-encoded values (RFC 5849 section 3.5.1).",
        code="malformed_authorization",
    )


def repeated(name: str) -> OAuthFault:
    return OAuthFault(
        f"The Authorization header holds {shown(name, 60)} more than once. Send it once.", code="repeated_parameter"
    )


def missing(names: Iterable[str]) -> OAuthFault:
    """All that is missing is named at once."""
    return OAuthFault(
        f"The Authorization header lacks {_listed(names)}. Add it and sign again.", code="missing_parameter"
    )


def unsupported_method(method: str, taken: Iterable[str]) -> OAuthFault:
    return OAuthFault(
        f"oauth_signature_method {shown(method, 60)!r} is not supported. Sign with {_listed(taken, 'or')}.",
        code="unsupported_method",
    )


def unsupported_version(version: str) -> OAuthFault:
    return OAuthFault(
        f"oauth_version {shown(version, 60)!r} is not supported. Send 1.0 or leave it out.", code="unsupported_version"
    )


def plaintext_refused(over_tls: bool) -> OAuthFault:
    """PLAINTEXT where the site does not allow it, or where anybody on the way could read it."""
    why = "this site does not allow it" if over_tls else "the call did not come over TLS"
    return OAuthFault(
        f"oauth_signature_method PLAINTEXT is not taken here: {why}. Sign with HMAC-SHA256.", code="plaintext_refused"
    )


def bad_timestamp(value: str) -> OAuthFault:
    return OAuthFault(
        f"oauth_timestamp {shown(value, 40)!r} is not a positive whole number. "
        "Send the seconds since 1970-01-01 00:00:00 UTC.",
        code="bad_timestamp",
    )


def timestamp_off(timestamp: int, now: int, window: int) -> OAuthFault:
    """Too old or ahead (all in seconds); names the server's time, so that the caller sees which clock is wrong."""
    off = now - timestamp
    said = f"is {off} s too old" if off > 0 else f"is {-off} s ahead"
    mend = "Set the caller's clock and sign each call afresh."
    if off < 0 and abs(now - timestamp // 1000) < 86_400 * 366:
        mend = "It looks like milliseconds: send seconds."
    return OAuthFault(
        f"oauth_timestamp {timestamp} {said}: the server's time is {now} ({_utc(now)}), and {window} s either way are "
        f"allowed. {mend}",
        code="timestamp_too_old" if off > 0 else "timestamp_ahead",
    )


def wrong_signature(method: str, url: str) -> OAuthFault:
    """Names what the server saw, since a proxy that rewrites the address is the usual cause."""
    return OAuthFault(
        f"The signature does not match. The server saw {shown(method, 40)} {shown(url)}; {SET_PUBLIC_URL}. "
        "If the address is right, check the consumer secret and the token secret.",
        code="wrong_signature",
    )


def body_hash_missing() -> OAuthFault:
    return OAuthFault(
        "The Authorization header lacks oauth_body_hash, which this site requires. Add it and sign again.",
        code="missing_body_hash",
        signed=True,
    )


def body_hash_wrong(length: int) -> OAuthFault:
    return OAuthFault(
        f"oauth_body_hash does not match the body, of which {length} bytes came. Hash the bytes that are sent: "
        "base64 of their SHA-1, or of the hash that the signature method uses.",
        code="wrong_body_hash",
        signed=True,
    )


def unknown_consumer_key(consumer_key: str) -> OAuthFault:
    return OAuthFault(
        f"The consumer key {shown(consumer_key, 80)!r} is not known here. Check it with: heliograph keys list.",
        code="unknown_consumer_key",
    )


def unknown_token(token: str) -> OAuthFault:
    """The consumer key is known, and not with this token."""
    said = f"with the token {shown(token, 80)!r}" if token else "without a token"
    return OAuthFault(
        f"The consumer key is not known {said}. Send the oauth_token that was made with the key.", code="unknown_token"
    )


def disabled_key() -> OAuthFault:
    return OAuthFault("This API key was disabled. Make a new one with: heliograph keys create.", code="disabled_key")


def expired_key(expires: int) -> OAuthFault:
    """`expires` in milliseconds, as core.site.Key keeps it."""
    return OAuthFault(
        f"This API key expired at {_utc(expires // 1000)}. Make a new one with: heliograph keys create.",
        code="expired_key",
    )


def _utc(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _listed(names: Iterable[str], last: str = "and") -> str:
    *first, end = names
    return f"{', '.join(first)} {last} {end}" if first else end


def shown(text: str, longest: int = _LONGEST_SHOWN) -> str:
    """The text as it may stand in a JSON answer: not endless, and bytes that were not UTF-8 (kept as surrogates)
    replaced."""
    if len(text) > longest:
        text = f"{text[:longest]}…"
    return text.encode("utf-8", "replace").decode()
