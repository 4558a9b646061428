"""The key of `heliograph send`: where it comes from, and the headers of a call that is signed with it.

Signed with oauthlib, so that the server's own verifier is never proved by our own signer.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from heliograph.cli import say
from heliograph.errors import SetupError

PARTS = ("consumer_key", "consumer_secret", "token", "token_secret", "bearer")


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """The four parts of a key, or a bearer key; extra names in a key file are ignored. `site`: whose key it is, as
    `keys create --json` writes it; empty where nobody says."""

    consumer_key: str = ""
    consumer_secret: str = ""
    token: str = ""
    token_secret: str = ""
    bearer: str = ""
    site: str = ""


def parts(key_file: Path | None, options: dict[str, str]) -> Parts:
    """The key: from options, else the file, else the environment."""
    if key_file is not None and not (options["consumer_key"] or options["bearer"]):
        try:
            found_there = msgspec.json.decode(key_file.read_bytes(), type=Parts)
            if not (found_there.bearer or (found_there.consumer_key and found_there.consumer_secret)):
                raise msgspec.DecodeError("neither bearer nor consumer_key and consumer_secret are in it")
            return found_there
        except OSError as error:
            raise SetupError(f"{key_file} cannot be read: {error.strerror}. Correct --key-file.", code="file") from None
        except msgspec.DecodeError as error:
            raise SetupError(
                f"{key_file} does not hold a key: {error}. `heliograph keys create SITE --json` prints one.",
                code="file",
            ) from None
    found = {name: options[name] or os.environ.get(f"HELIOGRAPH_SEND_{name.upper()}", "") for name in PARTS}
    if options["consumer_key"]:
        found["bearer"] = ""  # what the command line says stands above the environment
    if not found["bearer"] and not (found["consumer_key"] and found["consumer_secret"]):
        raise say.NotUnderstood(
            "There is no key to sign with: give --key-file, or --bearer, or --consumer-key and --consumer-secret (with "
            "--token and --token-secret). `heliograph keys create SITE` makes one."
        )
    return Parts(**found)


def bearing(bearer: str) -> dict[str, str]:
    """The headers of a JSON call with a bearer key. Raises NotUnderstood for what cannot stand in a header."""
    if not (bearer.isascii() and bearer.isprintable()) or " " in bearer:
        raise say.NotUnderstood("The bearer key holds characters that no key has. Copy it again.")
    return {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json", "Accept": "application/json"}


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
