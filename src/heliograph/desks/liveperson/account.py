"""One account's doors: where its services are, the app's token, the consumers' tokens, and calls with them.

domains    GET {domain}/api/account/{id}/service/baseURI.json?version=1.0 names the host of every service
AppJWT     from Sentinel, an hour long, renewed five minutes before its end; a 401 fetches a new one once
ConsumerJWS  from the IDP, one for each consumer; "does not expire and should be cached"
"""

from __future__ import annotations

import asyncio
import binascii
import time
from base64 import urlsafe_b64decode
from collections import OrderedDict
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from heliograph.core.ports import Out, Response
from heliograph.desks import kit
from heliograph.desks.kit import Row
from heliograph.desks.liveperson import answers
from heliograph.desks.liveperson.kept import FETCH_SECONDS, Kept, within
from heliograph.desks.liveperson.settings import Settings
from heliograph.errors import Blame, Fate, SendError

EARLY = 300.0  # seconds before its end a token is renewed
TOKEN_SECONDS = 3600.0  # of a token that does not say
DOMAINS_SECONDS = 3600.0
CONSUMERS = 10_000  # tokens that are remembered; the one that was not used for longest goes first
JSON = "application/json"


class Consumer(msgspec.Struct, frozen=True):
    """`token`: the ConsumerJWS; `id`: LivePerson's own id of the consumer, by which webhooks name it (its claim
    lp_consumer_id; empty where the token cannot be read)."""

    token: str
    id: str


class _Token(msgspec.Struct):
    access_token: str


class _Jws(msgspec.Struct):
    token: str


class _Claims(msgspec.Struct):
    exp: float = 0.0
    iat: float = 0.0
    lp_consumer_id: str = ""


class _Domain(msgspec.Struct, rename={"base_uri": "baseURI"}):
    service: str = ""
    base_uri: str = ""


class _Domains(msgspec.Struct, rename={"base_uris": "baseURIs"}):
    base_uris: list[_Domain] = []


class Account:
    """Calls of one account. Every method raises SendError alone."""

    def __init__(self, settings: Settings, out: Out) -> None:
        self.id = settings.account
        self.path = f"/api/account/{quote(settings.account, safe='')}"
        self._settings = settings
        self._out = out
        self._domains: Kept[dict[str, str]] = Kept(self._ask_domains, early=EARLY, outlives=True)
        self._app: Kept[str] = Kept(self._ask_app, early=EARLY)
        self._consumers: OrderedDict[str, Consumer] = OrderedDict()
        self._asking: dict[str, asyncio.Task[Consumer]] = {}

    async def base(self, service: str, deadline: float) -> str:
        """Where a service is ("https://host"). The names are case sensitive."""
        if self._settings.base_url:
            return self._settings.base_url.rstrip("/")
        found = await self._domains.get(deadline)
        if service not in found:
            raise SendError(
                f"LivePerson's Domain API names no {service} for account {self.id}. Check account and domain. Nothing "
                "was handed over.",
                code="wrong_address",
                fate=Fate.CONFIG,
                blame=Blame.US,
            )
        return f"{urlsplit(self._settings.origin).scheme}://{found[service]}"

    async def consumer(self, name: str, deadline: float) -> Consumer:
        """The consumer whose stable id at our side is `name`; made there at its first use."""
        if known := self._consumers.get(name):
            self._consumers.move_to_end(name)
            return known
        task = self._asking.get(name)
        if task is None:
            until = asyncio.get_running_loop().time() + FETCH_SECONDS
            task = self._asking[name] = asyncio.create_task(self._ask_consumer(name, until))
            task.add_done_callback(lambda done: self._asked(name, done))
        return await within(deadline, asyncio.shield(task))

    async def say(self, call: str, body: bytes, name: str, deadline: float) -> Response:
        """A call of the Send API in the name of a consumer. `call`: "conversation" or "conversation/send". A token that
        is refused (nothing was done) is fetched anew once."""
        url = f"{await self.base('asyncMessagingEnt', deadline)}{self.path}/messaging/consumer/{call}?v=3"
        response = await self._said(url, body, name, deadline)
        if response.status == 401:
            response = await self._said(url, body, name, deadline)
        return response

    async def ask(
        self,
        method: str,
        url: str,
        deadline: float,
        *,
        headers: dict[str, str],
        body: bytes = b"",
        secrets: tuple[str, ...] = (),
    ) -> Response:
        """A call whose repeat does no harm: no answer is a retry."""
        try:
            return await self._out.request(
                method, url, deadline=deadline, headers={"accept": JSON, **headers}, body=body, secrets=secrets
            )
        except SendError as lost:
            raise answers.harmless(lost) from None

    async def shut(self) -> None:
        for task in self._asking.values():
            task.cancel()
        await self._domains.shut()
        await self._app.shut()

    async def _said(self, url: str, body: bytes, name: str, deadline: float) -> Response:
        token = await self._app.get(deadline)
        consumer = await self.consumer(name, deadline)
        response = await self._out.request(
            "POST",
            url,
            deadline=deadline,
            headers={"authorization": token, "x-lp-on-behalf": consumer.token, "content-type": JSON, "accept": JSON},
            body=body,
            secrets=(consumer.token, name),
        )
        if response.status == 401:
            said = answers.one(response)
            code = said.body.error_code if said else 0
            if code in answers.CONSUMER and self._consumers.get(name) == consumer:
                del self._consumers[name]
            if code not in answers.CONSUMER or code == answers.BOTH:
                self._app.drop(token)
        return response

    async def _ask_domains(self, deadline: float) -> tuple[dict[str, str], float]:
        url = f"{self._settings.origin}{self.path}/service/baseURI.json?version=1.0"
        response = await self.ask("GET", url, deadline, headers={})
        if response.status != 200:
            raise answers.waited(kit.error_from(response, who="LivePerson's Domain API", rows=answers.READING))
        try:
            told = msgspec.json.decode(response.body, type=_Domains).base_uris
        except kit.UNREADABLE:
            raise _nonsense(response, "LivePerson's Domain API") from None
        return {one.service: one.base_uri for one in told if one.service and one.base_uri}, DOMAINS_SECONDS

    async def _ask_app(self, deadline: float) -> tuple[str, float]:
        settings = self._settings
        base = await self.base("sentinel", deadline)
        url = f"{base}/sentinel{self.path}/app/token?v=1.0&grant_type=client_credentials"
        form = {"client_id": settings.client_id, "client_secret": settings.client_secret}
        body = urlencode({**form, "grant_type": "client_credentials"}).encode()
        headers = {"content-type": "application/x-www-form-urlencoded"}
        response = await self.ask("POST", url, deadline, headers=headers, body=body, secrets=(settings.client_secret,))
        if response.status // 100 != 2:
            raise answers.waited(kit.error_from(response, who="LivePerson's Sentinel", rows=answers.TOKEN))
        try:
            token = msgspec.json.decode(response.body, type=_Token).access_token
        except kit.UNREADABLE:
            token = ""
        if not _fit(token):
            raise _nonsense(response, "LivePerson's Sentinel")
        claims = _claims(token)
        # Its own two times are compared with each other, so that our clock does not matter.
        lives = claims.exp - claims.iat if claims.iat else claims.exp - time.time()
        return token, lives if claims.exp else TOKEN_SECONDS

    async def _ask_consumer(self, name: str, deadline: float) -> Consumer:
        url = f"{await self.base('idp', deadline)}{self.path}/consumer?v=1.0"
        body = msgspec.json.encode({"ext_consumer_id": name})
        for last in (False, True):
            token = await self._app.get(deadline)
            headers = {"authorization": token, "content-type": JSON}
            response = await self.ask("POST", url, deadline, headers=headers, body=body, secrets=(name,))
            if response.status != 401 or last:
                break
            self._app.drop(token)
        if response.status // 100 != 2:
            rows = {**answers.ERRORS, 500: answers.TOKEN[500], 408: answers.TOKEN[408]}
            raise answers.waited(kit.error_from(response, who="LivePerson's IDP", rows=rows))
        try:
            jws = msgspec.json.decode(response.body, type=_Jws).token
        except kit.UNREADABLE:
            jws = ""
        if not _fit(jws):
            raise _nonsense(response, "LivePerson's IDP")
        return Consumer(jws, _claims(jws).lp_consumer_id)

    def _asked(self, name: str, task: asyncio.Task[Consumer]) -> None:
        del self._asking[name]
        if not task.cancelled() and task.exception() is None:
            self._consumers[name] = task.result()
            while len(self._consumers) > CONSUMERS:
                self._consumers.popitem(last=False)


def _fit(token: str) -> bool:
    """It can stand in a header."""
    return bool(token) and token.isascii() and token.isprintable() and " " not in token


def _claims(token: str) -> _Claims:
    """The claims of a JWT or JWS, unverified: it came from its issuer over TLS, and only its times and id are used."""
    part = token.split(".")[1] if token.count(".") == 2 else ""
    try:
        return msgspec.json.decode(urlsafe_b64decode(part + "=" * (-len(part) % 4)), type=_Claims, strict=False)
    except (*kit.UNREADABLE, binascii.Error, ValueError):
        return _Claims()


def _nonsense(response: Response, who: str) -> SendError:
    return kit.error(Row("bad_answer", Fate.RETRY, "that is not what was asked for. Check domain."), response, who=who)
