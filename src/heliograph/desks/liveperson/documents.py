"""LivePerson's Conversation Context Service, v2: what the brand passed along, for bots and routing, under the
conversation's id.

Source: developers.liveperson.com, "Conversation Context Service: Methods v2", "API Authorization". The page says that
the login "returns 200 ok with the OAuth2.0 secure token" and not in which form, so that a JSON field of the usual names
and the bare token are both taken.
"""

from __future__ import annotations

import re
from base64 import b64encode

import msgspec

from heliograph.core.desk import Context
from heliograph.core.ports import Response
from heliograph.desks import kit
from heliograph.desks.kit import Row
from heliograph.desks.liveperson import answers
from heliograph.desks.liveperson.account import EARLY, JSON, TOKEN_SECONDS, Account
from heliograph.desks.liveperson.kept import Kept
from heliograph.desks.liveperson.settings import Settings
from heliograph.errors import Blame, Fate

WHO = "LivePerson's context service"
# The key goes in the address. What it is made of has no other meaning there.
_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


class Documents:
    """Documents of one account."""

    def __init__(self, account: Account, settings: Settings) -> None:
        self._account = account
        self._settings = settings
        self._token: Kept[str] = Kept(self._log_in, early=EARLY)

    async def put(self, conversation: str, context: Context, deadline: float) -> None:
        """Writes (or writes over) the document of a conversation. Raises SendError; a repeat does no harm."""
        token = await self._token.get(deadline)
        response = await self._put(token, conversation, context, deadline)
        if response.status == 401:
            self._token.drop(token)
            token = await self._token.get(deadline)
            response = await self._put(token, conversation, context, deadline)
        if response.status // 100 != 2:
            raise answers.waited(kit.error_from(response, who=WHO, rows=answers.READING))

    async def shut(self) -> None:
        await self._token.shut()

    async def _put(self, token: str, conversation: str, context: Context, deadline: float) -> Response:
        settings = self._settings
        url = f"{self._base('ccs')}/v2/context/document/create?access_token={token}"
        body = {
            "accountId": settings.account,
            "nameSpace": settings.ccs_namespace,
            "sessionId": conversation,
            "ttlSeconds": settings.ccs_ttl,
            "payload": payload(context),
        }
        headers = {"content-type": JSON}
        return await self._account.ask(
            "POST", url, deadline, headers=headers, body=msgspec.json.encode(body), secrets=(token,)
        )

    async def _log_in(self, deadline: float) -> tuple[str, float]:
        settings = self._settings
        key = b64encode(f"{settings.ccs_user}:{settings.ccs_password}".encode()).decode()
        url = f"{self._base('context')}/v2/authenticate/login"
        response = await self._account.ask(
            "POST", url, deadline, headers={"authorization": f"Basic {key}"}, secrets=(key, settings.ccs_password)
        )
        if response.status // 100 != 2:
            row = Row("token_refused", Fate.CONFIG, "ccs_user or ccs_password is wrong.", Blame.US)
            rows = {**answers.TOKEN, 400: row, 401: row}
            raise answers.waited(kit.error_from(response, who=WHO, rows=rows))
        token = _token(response.body)
        if not token:
            raise kit.error(Row("bad_answer", Fate.RETRY, "that holds no token."), response, who=WHO)
        return token, TOKEN_SECONDS

    def _base(self, service: str) -> str:
        settings = self._settings
        return settings.base_url.rstrip("/") or f"https://{settings.ccs_zone}.{service}.liveperson.net"


def payload(context: Context) -> dict[str, object]:
    """The properties: alertInfo's keys as the caller wrote them, under one name, and what the alert is."""
    alert = context.alert
    if alert is None:
        return {}
    told: dict[str, object] = {
        "alertId": alert.id,
        "template": alert.template,
        "templateVersion": alert.template_version,
        "language": alert.language,
        "skill": alert.skill,
        "externalAlertId": alert.external_alert_id,
        "externalCustomerId": alert.external_customer_id,
        "externalCustomerIdDescriptor": alert.external_customer_id_descriptor,
        "channel": context.channel,
        "words": context.words,
    }
    known = {name: value for name, value in told.items() if value}
    if bytes(alert.alert_info):
        known["alertInfo"] = alert.alert_info
    return known


def _token(body: bytes) -> str:
    try:
        told = msgspec.json.decode(body)
    except kit.UNREADABLE:
        told = body.decode("utf-8", "replace").strip()
    if isinstance(told, dict):
        named = (told.get(name) for name in ("access_token", "accessToken", "token", "id_token", "idToken"))
        told = next((one for one in named if one), "")
    return told if isinstance(told, str) and _TOKEN.fullmatch(told) else ""
