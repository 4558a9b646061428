"""Which addresses may be spoken to: spellings, private ranges, names that change their mind."""

from __future__ import annotations

import asyncio
import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyreqwest.http import Url

from heliograph import out
from heliograph.errors import Blame, Fate, SendError
from heliograph.out import lines
from heliograph.out.address import AddressRefused, Rules, is_public, prefix, read

PRIVATE = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.9.9.9",
    "169.254.169.254",
    "172.16.0.1",
    "192.168.1.1",
    "192.0.2.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "fc00::1",
    "fd12::1",
    "fe80::1",
    "ff02::1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "::127.0.0.1",
    "::10.0.0.1",
    "2001:db8::1",
]
# fmt: on
PUBLIC = ["8.8.8.8", "142.250.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", PRIVATE)
def test_private(address):
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_public(address):
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "text",
    [
        "http://127.1",
        "http://2130706433",
        "http://0x7f000001",
        "http://0x7f.1",
        "http://0177.0.0.1",
        "http://user@host",
        "http://user:word@host",
        "http://a b",
        "http://ho\tst",
        "http://host\n",
        "http://[::1",
        "http://[fe80::1%25eth0]",
        "http://host.",
        "http://host:0",
        "http://host:65536",
        "http://host:",
        "http://",
        "ftp://host",
        "file://",
        "//host",
        "",
        "http://münchen.example",
        "http://host%2eexample",
        "http://１２７.0.0.1",
    ],
)
def test_spellings_that_are_refused(text):
    with pytest.raises(AddressRefused):
        read(text)


def test_an_origin_is_read():
    origin = read("HTTPS://Example.COM".replace("HTTPS", "https"))
    assert (origin.scheme, origin.host, origin.port) == ("https", "example.com", 443)
    assert read("http://[::1]:8090").shown == "[::1]:8090"


@given(st.text(alphabet="abz09.-_:/@?#\\[]%x\t ", max_size=30))
def test_what_we_read_is_the_host_that_the_library_connects_to(tail):
    url = "http://" + tail
    try:
        origin = read(prefix(url))
    except AddressRefused:
        return
    try:
        theirs = Url(url)
    except ValueError:
        return  # the library refuses it: nothing is sent
    assert (theirs.host_str or "").strip("[]") == (str(origin.literal) if origin.literal else origin.host)
    assert theirs.port_or_known_default == origin.port


@pytest.mark.parametrize("listed", ["127.0.0.1", "127.0.0.1:9", "other, 127.0.0.1:9"])
def test_a_listed_host_may_be_private(listed):
    rules = Rules.of(listed, allow_private=False, only_allowed=False)  # type: ignore[arg-type]
    rules.check(read("http://127.0.0.1:9"), [ipaddress.ip_address("127.0.0.1")])
    with pytest.raises(AddressRefused):
        rules.check(read("http://127.0.0.2:9"), [ipaddress.ip_address("127.0.0.2")])


def test_a_listed_port_is_not_another_port():
    rules = Rules.of(["[::1]:8090"], allow_private=False, only_allowed=False)
    rules.check(read("http://[::1]:8090"), [ipaddress.ip_address("::1")])
    with pytest.raises(AddressRefused, match="private address"):
        rules.check(read("http://[::1]:8091"), [ipaddress.ip_address("::1")])


def test_one_private_address_among_public_ones_refuses_the_host():
    rules = Rules()
    addresses = [ipaddress.ip_address("8.8.8.8"), ipaddress.ip_address("10.0.0.1")]
    with pytest.raises(AddressRefused, match="private address"):
        rules.check(read("https://mixed.example"), addresses)


def test_plain_http_to_the_open_internet_is_refused():
    with pytest.raises(AddressRefused, match="in clear"):
        Rules(allow_private=True).check(read("http://open.example"), [ipaddress.ip_address("8.8.8.8")])


@pytest.mark.parametrize("url", ["http://127.0.0.1:{}/", "http://[::ffff:127.0.0.1]:{}/", "http://localhost:{}/"])
async def test_loopback_is_refused_before_a_connection_is_made(serve, url):
    async def talk(reader, writer):
        writer.close()

    server = await serve(lambda server: talk)
    client = out.open()
    with pytest.raises(SendError) as caught:
        await client.request("GET", url.format(server.port), deadline=asyncio.get_running_loop().time() + 2)
    await client.close()
    assert (caught.value.fate, caught.value.code, caught.value.blame) == (Fate.CONFIG, "address_refused", Blame.US)
    assert "HELIOGRAPH_ALLOWED_HOSTS" in caught.value.sentence
    assert server.connections == 0


async def test_only_allowed_hosts_are_looked_up(monkeypatch):
    client = out.open(allowed=["sandbox.local"], only_allowed=True)

    async def never(*args: object, **kwargs: object) -> None:
        raise AssertionError("the name was looked up")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", never)
    with pytest.raises(SendError, match="not an allowed host"):
        await client.request("GET", "https://provider.example/", deadline=asyncio.get_running_loop().time() + 2)
    await client.close()


def _answering(monkeypatch: pytest.MonkeyPatch, answers: list[list[str] | Exception]) -> None:
    """The DNS as a list of answers; the last one stays."""

    async def getaddrinfo(host: str, port: int, **kwargs: object) -> list[tuple[object, ...]]:
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answer]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)


def _answers_ok(server):
    async def talk(reader, writer):
        while True:
            await server.read_request(reader)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            await writer.drain()

    return talk


async def test_a_name_is_resolved_by_us_and_the_connection_goes_there(serve, monkeypatch):
    server = await serve(_answers_ok)
    _answering(monkeypatch, [["127.0.0.1"]])
    client = out.open(allow_private=True)
    url = f"http://name-nobody-knows.example:{server.port}/"
    response = await client.request("GET", url, deadline=asyncio.get_running_loop().time() + 2)
    await client.close()
    assert response.status == 200
    assert f"host: name-nobody-knows.example:{server.port}".encode() in server.requests[0].lower()


async def test_a_name_that_turns_private_is_refused_and_its_line_is_dropped(serve, monkeypatch):
    server = await serve(_answers_ok)
    _answering(monkeypatch, [["127.0.0.1"], ["127.0.0.2"]])
    monkeypatch.setattr(lines, "RESOLVE_EVERY", 0.0)
    monkeypatch.setattr(Rules, "check", _only_the_first_is_public)
    client = out.open()
    url = f"http://rebinding.example:{server.port}/"
    loop = asyncio.get_running_loop()
    assert (await client.request("GET", url, deadline=loop.time() + 2)).status == 200
    with pytest.raises(SendError, match="private address"):
        await client.request("GET", url, deadline=loop.time() + 2)
    await client.close()
    assert len(server.requests) == 1


def _only_the_first_is_public(self: Rules, origin: object, addresses: list[object]) -> None:
    if any(str(address) != "127.0.0.1" for address in addresses):
        raise AddressRefused("a private address")


async def test_when_the_first_address_is_dead_the_next_one_is_used(serve, monkeypatch):
    server = await serve(_answers_ok)
    _answering(monkeypatch, [["127.0.0.9", "127.0.0.1"]])  # the server listens on .1 alone
    client = out.open(allow_private=True)
    url = f"http://two-addresses.example:{server.port}/"
    loop = asyncio.get_running_loop()
    for _ in range(3):
        assert (await client.request("POST", url, deadline=loop.time() + 2, body=b"{}")).status == 200
    await client.close()
    assert len(server.requests) == 3


async def test_while_the_dns_is_away_the_checked_address_is_kept(serve, monkeypatch):
    server = await serve(_answers_ok)
    _answering(monkeypatch, [["127.0.0.1"], OSError("away")])
    monkeypatch.setattr(lines, "RESOLVE_EVERY", 0.0)
    client = out.open(allow_private=True)
    url = f"http://steady.example:{server.port}/"
    loop = asyncio.get_running_loop()
    for _ in range(3):
        assert (await client.request("GET", url, deadline=loop.time() + 2)).status == 200
    await client.close()


async def test_no_more_than_so_many_origins_are_kept(serve, monkeypatch):
    server = await serve(_answers_ok)
    _answering(monkeypatch, [["127.0.0.1"]])
    monkeypatch.setattr(lines, "KEPT", 3)
    client = out.open(allow_private=True)
    loop = asyncio.get_running_loop()
    for number in range(6):
        url = f"http://host-{number}.example:{server.port}/"
        assert (await client.request("GET", url, deadline=loop.time() + 2)).status == 200
    assert len(client._lines._ways) == 3
    await client.close()
