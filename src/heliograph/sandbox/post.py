"""The sandbox's way out: the only file that knows its HTTP client. It posts callbacks to the server under test."""

from __future__ import annotations

from datetime import timedelta

from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import PyreqwestError

from heliograph.core.ports import Call

TIMEOUT = timedelta(seconds=10)
ANSWER_SHOWN = 65_536  # bytes of an answer that are looked at


class NoAnswer(Exception):
    """Nobody answered at that address; the text says why."""


class Post:
    """Redirects are not followed: a provider does not follow them either. No proxy: the server under test is near."""

    def __init__(self) -> None:
        self._client: Client | None = None

    async def send(self, call: Call) -> tuple[int, bytes]:
        """(status, body). Raises NoAnswer."""
        if self._client is None:
            self._client = (
                ClientBuilder()
                .timeout(TIMEOUT)
                .follow_redirects(False)
                .no_proxy()
                .user_agent("heliograph-sandbox")
                .build()
            )
        try:
            request = self._client.request(call.method, call.url).headers(dict(call.headers)).body_bytes(call.body)
            response = await request.build().send()
            return response.status, bytes(await response.bytes())[:ANSWER_SHOWN]
        except (PyreqwestError, ValueError) as fault:
            raise NoAnswer(f"{type(fault).__name__}: {fault}") from fault

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None
