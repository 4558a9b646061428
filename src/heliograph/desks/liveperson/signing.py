"""The signature of a call with an API key of four parts: OAuth 1.0a (RFC 5849) with HMAC-SHA1.

Ours, because the library that could do it writes the token and the whole base string into the log at its lowest level.
"""

from __future__ import annotations

import hmac
import secrets
import time
from base64 import b64encode
from urllib.parse import parse_qsl, quote, urlsplit

from heliograph.desks.liveperson.settings import Settings


def authorization(settings: Settings, method: str, url: str, *, nonce: str = "", timestamp: int = 0) -> str:
    """The Authorization header of a call whose body is no form, and so no part of what is signed."""
    told = {
        "oauth_consumer_key": settings.api_key,
        "oauth_token": settings.api_token,
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": str(timestamp or int(time.time())),
        "oauth_nonce": nonce or secrets.token_hex(16),
        "oauth_version": "1.0",
    }
    address = urlsplit(url)
    pairs = [*parse_qsl(address.query, keep_blank_values=True), *told.items()]
    parameters = "&".join(f"{name}={value}" for name, value in sorted((_quoted(n), _quoted(v)) for n, v in pairs))
    place = f"{address.scheme}://{address.netloc.lower()}{address.path}"
    base = "&".join(map(_quoted, (method, place, parameters)))
    key = f"{_quoted(settings.api_secret)}&{_quoted(settings.api_token_secret)}"
    told["oauth_signature"] = b64encode(hmac.digest(key.encode(), base.encode(), "sha1")).decode()
    return "OAuth " + ", ".join(f'{name}="{_quoted(value)}"' for name, value in told.items())


def _quoted(text: str) -> str:
    return quote(text, safe="~")
