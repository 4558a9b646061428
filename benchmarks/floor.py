"""The floor: receives the same request with the same server and forwards its body with the same client. It verifies,
stores and decides nothing.

Run as a program with the provider's port and `house` (heliograph's own server and HTTP client) or `bare` (uvicorn and
pyreqwest as they come): prints its own port, then serves until it is told to stop.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from typing import Any

import uvicorn
import uvloop
from pyreqwest.client import ClientBuilder

import heliograph.out
from heliograph.running import calm_collector, let_work_end, until_stopped
from heliograph.web.server import Limits, Server, read_body

HEADERS = {"content-type": "application/json", "authorization": "Bearer stub"}


async def answer(send: Any, status: int, body: bytes) -> None:
    head = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})


async def house(target: str) -> None:
    out = heliograph.out.open(allow_private=True)
    loop = asyncio.get_running_loop()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body = await read_body(scope, receive, 262_144, 10.0)
        response = await out.request("POST", target, deadline=loop.time() + 20, headers=HEADERS, body=body)
        await answer(send, response.status, response.body)

    server = Server(app, "127.0.0.1", 0, Limits())
    print(await server.start(), flush=True)
    calm_collector()
    await until_stopped()
    await server.stop(1.0)
    await out.close()


async def bare(target: str) -> None:
    client = ClientBuilder().timeout(timedelta(seconds=20)).build()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        response = await client.post(target).headers(HEADERS).body_bytes(body).build().send()
        await answer(send, response.status, bytes(await response.bytes()))

    server = uvicorn.Server(
        uvicorn.Config(app, port=0, http="httptools", lifespan="off", log_level="warning", access_log=False)
    )
    task = asyncio.ensure_future(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    print(server.servers[0].sockets[0].getsockname()[1], flush=True)
    calm_collector()
    await task


def main(port: str, kind: str) -> None:
    let_work_end()
    target = f"http://127.0.0.1:{port}/v1/phones/+17703101414/agentMessages?messageId=x&agentId=y"
    uvloop.run(house(target) if kind == "house" else bare(target))


if __name__ == "__main__":
    main(*sys.argv[1:])
