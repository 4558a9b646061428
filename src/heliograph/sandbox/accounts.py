"""Service accounts that the sandbox knows: their public keys. A private key never stays here."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Protocol

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from heliograph.errors import SetupError

BITS = 2_048  # as Google makes them


class KnowsAccounts(Protocol):
    def add_account(self, email: str, public_key: str) -> None: ...


class KeyFile(msgspec.Struct, kw_only=True):
    """A service account's JSON key file; `public_key` instead of `private_key` is enough for the sandbox."""

    client_email: str
    private_key: str = ""
    public_key: str = ""


def make_service_account(
    world: KnowsAccounts,
    *,
    token_uri: str,
    email: str = "alerts@sandbox.iam.gserviceaccount.com",
    project: str = "sandbox",
) -> str:
    """Makes an RSA key pair, lets `world` know the public half, and gives the text of the JSON key file back.

    `token_uri`: where the key's holder asks for tokens, `<the sandbox>/token`. The text holds the private key: write
    it with mode 0600.
    """
    key = rsa.generate_private_key(public_exponent=65_537, key_size=BITS)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    world.add_account(email, _public_pem(key.public_key()))
    document = {
        "type": "service_account",
        "project_id": project,
        "private_key_id": uuid.uuid4().hex,
        "private_key": private.decode(),
        "client_email": email,
        "client_id": str(uuid.uuid4().int % 10**21),
        "token_uri": token_uri,
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def read_account(world: KnowsAccounts, text: str, *, name: str) -> str:
    """Takes one account from a JSON key file, or from a PEM public key whose file is called `<client_email>.pem`, and
    gives its e-mail address back. Raises SetupError, naming the file."""
    if name.endswith(".json"):
        try:
            file = msgspec.json.decode(text, type=KeyFile)
        except msgspec.DecodeError as fault:
            raise SetupError(
                f"{name} is not a service account's key file ({fault}). It needs client_email, and private_key or "
                "public_key.",
                code="bad_account",
            ) from fault
        email, pem, private = file.client_email, file.public_key or file.private_key, not file.public_key
    else:
        email, pem, private = name.removesuffix(".pem"), text, False
    try:
        key = (
            serialization.load_pem_private_key(pem.encode(), None).public_key()
            if private
            else serialization.load_pem_public_key(pem.encode())
        )
    except (ValueError, TypeError, UnsupportedAlgorithm) as fault:
        raise SetupError(f"The key in {name} cannot be read: {fault}. It must be PEM.", code="bad_account") from fault
    if not isinstance(key, rsa.RSAPublicKey):
        raise SetupError(
            f"The key in {name} is not an RSA key; Google's service accounts sign RS256.", code="bad_account"
        )
    world.add_account(email, _public_pem(key))
    return email


def read_accounts(world: KnowsAccounts, directory: Path) -> list[str]:
    """Takes every *.json and *.pem of a directory, in the order of their names. Raises SetupError."""
    if not directory.is_dir():
        raise SetupError(f"{directory} is not a directory; --accounts names one with key files.", code="bad_account")
    paths = sorted(path for path in directory.iterdir() if path.suffix in (".json", ".pem"))
    return [read_account(world, path.read_text("utf-8"), name=path.name) for path in paths]


def _public_pem(key: rsa.RSAPublicKey) -> str:
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
