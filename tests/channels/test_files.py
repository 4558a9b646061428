"""Files of recipients: which hosts are asked, and how much is read."""

from __future__ import annotations

import asyncio

import pytest

from heliograph import out
from heliograph.channels import files
from heliograph.errors import Fate, SendError

HOSTS = (".fbsbx.com", "http://127.0.0.1:8090")


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1", True),
        ("https://fbsbx.com/x", True),
        ("https://LOOKASIDE.fbsbx.com:443/x", True),
        ("http://127.0.0.1:8090/x", True),
        ("https://lookaside.fbsbx.com:8443/x", False),
        ("http://lookaside.fbsbx.com/x", False),
        ("https://evilfbsbx.com/x", False),
        ("https://fbsbx.com.evil.example/x", False),
        ("https://me@lookaside.fbsbx.com/x", False),
        ("http://127.0.0.1:8091/x", False),
        ("http://127.0.0.1:8090@evil.example/x", False),
        ("https://127.0.0.1:8090/x", False),
        ("//fbsbx.com/x", False),
        ("file:///etc/passwd", False),
        ("https://[::1", False),
        ("https://fbsbx.com:port/x", False),
        ("", False),
    ],
)
async def test_a_host_is_asked_to_the_letter(url: str, asked: bool) -> None:
    class Reached(Exception):
        pass

    class Way:
        async def request(self, method, url, **_):
            raise Reached

        async def addresses(self, host, port):
            raise Reached

    with pytest.raises(Reached if asked else SendError) as caught:
        await files.download(Way(), url, who="Meta", hosts=HOSTS, deadline=0)
    if not asked:
        assert (caught.value.code, caught.value.fate) == ("file_elsewhere", Fate.PERMANENT)


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("more", [0, 1])
async def test_sixteen_mebibytes_are_read_and_no_more(announced: bool, more: int) -> None:
    size = files.MOST + more

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nConnection: close\r\n")
        writer.write((b"Content-Length: %d\r\n" % size if announced else b"") + b"\r\n")
        try:
            writer.write(bytes(size))
            await writer.drain()
        except ConnectionError:
            return  # it was left
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    client = out.open(allowed=[url.removeprefix("http://")], only_allowed=True)
    ask = files.download(client, url + "/f", who="Meta", hosts=(url,), deadline=asyncio.get_running_loop().time() + 10)
    if more:
        with pytest.raises(SendError) as caught:
            await ask
        assert (caught.value.code, caught.value.fate) == ("file_too_large", Fate.PERMANENT)
    else:
        got = await ask
        assert (got.content_type, len(got.data)) == ("video/mp4", size)
    await client.close()
    server.close()
