"""The calls to Chatwoot's application API: one account, one token, its answers read with a table.

Source: developers.chatwoot.com/api-reference and the controllers of chatwoot/chatwoot 4.x. Nothing is idempotent there;
a message keeps the `source_id` that it was created with, and a list of messages tells it.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from heliograph.core.ports import Out, Response
from heliograph.desks import kit
from heliograph.desks.chatwoot.settings import Settings
from heliograph.desks.kit import Row
from heliograph.errors import Blame, Fate, SendError

WHO = "Chatwoot"
T = TypeVar("T")

_TOKEN = Row(
    "credentials_refused",
    Fate.CONFIG,
    "api_access_token is not valid, or its owner may not see the inbox. Give the site another one.",
    Blame.US,
)
ROWS = {
    **kit.USUAL,
    401: _TOKEN,
    402: Row("payment", Fate.CONFIG, "the account's plan does not allow it.", Blame.US),
    403: _TOKEN,
    404: Row("wrong_address", Fate.CONFIG, "no such account, inbox or team. Check base_url and the ids.", Blame.US),
    422: Row("invalid_message", Fate.PERMANENT, "it is not valid there.", Blame.US),
}
_NONSENSE = "its answer cannot be read."


class _Fault(msgspec.Struct):
    """Both forms of a refusal: {"error": …}, {"message": …, "attributes": […]}."""

    error: str | None = None
    message: str | None = None


class Api:
    """One account. A call gives the answer where it is a yes or a 404 that was `missed`; else it raises SendError."""

    def __init__(self, settings: Settings, out: Out) -> None:
        self._base = settings.base
        self._account = f"{settings.base}/api/v1/accounts/{settings.account_id}"
        self._token = settings.api_access_token
        self._out = out

    async def ask(self, path: str, deadline: float) -> Response:
        """A question: whatever keeps it from being answered, nothing was taken, so that a doubt is a retry."""
        try:
            return await self._call("GET", f"{self._account}/{path}", deadline, b"")
        except SendError as error:
            raise _settled(error) from error

    async def tell(self, method: str, path: str, body: object, deadline: float) -> Response:
        return await self._call(method, f"{self._account}/{path}", deadline, msgspec.json.encode(body))

    async def tell_as_contact(self, path: str, body: object, deadline: float) -> None:
        """By the public API, in the recipient's name. It takes no token."""
        url = f"{self._base}/public/api/v1/{path}"
        headers = {"content-type": "application/json"}
        response = await self._out.request(
            "POST", url, deadline=deadline, headers=headers, body=msgspec.json.encode(body)
        )
        if response.status // 100 != 2:
            raise kit.error_from(response, who=WHO, rows=ROWS)

    async def _call(self, method: str, url: str, deadline: float, body: bytes) -> Response:
        headers = {"api_access_token": self._token, "accept": "application/json"}
        if body:
            headers["content-type"] = "application/json"
        response = await self._out.request(
            method, url, deadline=deadline, headers=headers, body=body, secrets=(self._token,)
        )
        if response.status // 100 == 2 or response.status == 404:
            return response
        raise refused(response)


def refused(response: Response) -> SendError:
    try:
        fault = msgspec.json.decode(response.body, type=_Fault)
        detail = fault.error or fault.message or ""
    except kit.UNREADABLE:
        detail = ""
    return kit.error_from(response, who=WHO, rows=ROWS, detail=detail[:300])


def answered(response: Response, wanted: type[T], fate: Fate) -> T:
    """What an answer holds. Raises SendError: for a 404, and with `fate` where a yes cannot be read."""
    if response.status == 404:
        raise refused(response)
    try:
        return msgspec.json.decode(response.body, type=wanted)
    except kit.UNREADABLE:
        raise kit.error(Row("bad_answer", fate, _NONSENSE), response, who=WHO) from None


def _settled(error: SendError) -> SendError:
    if error.fate is Fate.UNKNOWN:
        error.fate = Fate.RETRY
    return error
