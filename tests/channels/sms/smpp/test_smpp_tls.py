"""TLS with a certificate made here: taken by its own authority, refused by the world's."""

from __future__ import annotations

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from channels.sms.smpp.conftest import SENDER, message, soon
from heliograph.channels.sms import smpp
from heliograph.core.ports import Ways
from heliograph.errors import Fate, SendError, SetupError


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@pytest.fixture(scope="module")
def certificates(tmp_path_factory) -> tuple[str, Path]:
    """The authority's certificate, and a file with the centre's key and certificate (smsc.example and 127.0.0.1)."""
    now = datetime.now(UTC)
    authority, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())

    def build(subject: str, key, *extensions) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(subject))
            .issuer_name(_name("test authority"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(authority, hashes.SHA256())

    root = build(
        "test authority",
        authority,
        (x509.BasicConstraints(ca=True, path_length=0), True),
        (x509.SubjectKeyIdentifier.from_public_key(authority.public_key()), False),
    )
    names = [x509.DNSName("smsc.example"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    leaf = build(
        "smsc.example",
        own,
        (x509.SubjectAlternativeName(names), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), False),
    )
    path = tmp_path_factory.mktemp("tls") / "centre.pem"
    key = own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(key + leaf.public_bytes(Encoding.PEM))
    return root.public_bytes(Encoding.PEM).decode(), path


@pytest.fixture
def door(certificates) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates[1])
    return context


@pytest.mark.parametrize("tls_name", ["", "smsc.example"])
async def test_a_centre_with_an_authority_of_its_own(centre, opened, door, certificates, tls_name):
    smsc = await centre(tls=door)
    provider = await opened(smsc.port, tls=True, ca=certificates[0], tls_name=tls_name)
    taken = await provider.send(message("ъ" * 300), soon())
    assert taken.exchange.url.startswith("smpps://")
    assert [there.text for there in smsc.taken.values() if there.text] == ["ъ" * 300]


@pytest.mark.parametrize(
    ("changes", "code", "fate"),
    [
        ({"ca": ""}, "tls_refused", Fate.CONFIG),
        ({"tls_name": "other.example"}, "tls_refused", Fate.CONFIG),
    ],
)
async def test_a_certificate_that_is_not_to_be_trusted(centre, opened, door, certificates, changes, code, fate):
    smsc = await centre(tls=door)
    provider = await opened(smsc.port, wait=False, tls=True, **{"ca": certificates[0], **changes})
    with pytest.raises(SendError) as caught:
        await provider.send(message(), soon())
    assert (caught.value.code, caught.value.fate) == (code, fate)
    assert smsc.counts["submits"] == 0


async def test_tls_where_the_centre_has_none(centre, opened):
    smsc = await centre()
    provider = await opened(smsc.port, wait=False, tls=True, bind_timeout=1)
    with pytest.raises(SendError) as caught:
        await provider.send(message(), soon())
    assert (caught.value.code, caught.value.fate) == ("not_connected", Fate.RETRY)


async def test_a_ca_that_is_no_certificate_is_told_at_once(way_out, heard):
    with pytest.raises(SetupError) as caught:
        smpp.open(
            SENDER,
            smpp.Settings(host="127.0.0.1", system_id="acme", tls=True, ca="no certificate"),
            Ways(out=way_out, callback=str, heard=heard),
        )
    assert caught.value.code == "no_certificate"
