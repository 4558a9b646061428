"""The floor: receives the same request with the same server and forwards its body with the same client. It verifies,
stores and decides nothing.

Run as a program with the provider's port: prints its own port, then serves until it is killed.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from datetime import timedelta
from typing import Any

import uvicorn
import uvloop
from pyreqwest.client import ClientBuilder


def app_for(target: str) -> Any:
    client = ClientBuilder().timeout(timedelta(seconds=20)).build()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        request = client.post(target).header("content-type", "application/json").body_bytes(body).build()
        response = await request.send()
        answer = bytes(await response.bytes())
        await send(
            {
                "type": "http.response.start",
                "status": response.status,
                "headers": [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))],
            }
        )
        await send({"type": "http.response.body", "body": answer})

    return app


async def main(port: int) -> None:
    target = f"http://127.0.0.1:{port}/v1/phones/+17703101414/agentMessages?messageId=x&agentId=y"
    config = uvicorn.Config(
        app_for(target),
        host="127.0.0.1",
        port=0,
        loop="uvloop",
        http="httptools",
        lifespan="off",
        log_level="warning",
        access_log=False,
    )
    server = uvicorn.Server(config)
    task = asyncio.ensure_future(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    print(server.servers[0].sockets[0].getsockname()[1], flush=True)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: setattr(server, "should_exit", True))
    await task


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
