"""Google's access tokens for one service account: a signed assertion (RFC 7523) for a token of about an hour.

A token is renewed five minutes before its end, in the background, while the old one goes on serving; one renewal at a
time, however many callers wait. A refusal is remembered for a while, so that a wrong key does not ask Google once per
alert.
"""

from __future__ import annotations

import asyncio
import time
from base64 import urlsafe_b64encode
from urllib.parse import urlencode

import msgspec
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from heliograph.channels import kit
from heliograph.core.ports import Out, Response
from heliograph.errors import Blame, Fate, SendError, SetupError

SCOPE = "https://www.googleapis.com/auth/rcsbusinessmessaging"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_SECONDS = 3600  # Google's maximum (r)
RENEW_BEFORE = 300.0  # seconds before the end
UNUSABLE_BEFORE = 10.0  # a token that ends sooner could end on the way
ASK_SECONDS = 10.0
REMEMBER_REFUSED = 30.0  # seconds a refused key is not tried again
REMEMBER_AWAY = 1.0  # the same where the token endpoint did not answer

# Answers of the token endpoint that are not 200. Nothing was sent in any of these cases.
_ROWS = {
    300: kit.Row("token_refused", Fate.CONFIG, "the token endpoint redirects; token_url is wrong.", Blame.US),
    400: kit.Row(
        "token_refused",
        Fate.CONFIG,
        "the service account's key was refused. Check that the key still exists and that this machine's clock is "
        "right.",
        Blame.US,
    ),
    408: kit.Row("token_away", Fate.RETRY, "the token endpoint was too slow; it is asked again."),
    429: kit.Row("token_away", Fate.RETRY, "too many tokens were asked for; it is asked again."),
    500: kit.Row("token_away", Fate.RETRY, "the token endpoint has a fault; it is asked again."),
}


class ServiceAccount(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a service account's key file that are used here."""

    client_email: str
    private_key: str
    private_key_id: str = ""
    token_uri: str = "https://oauth2.googleapis.com/token"


class _Answer(msgspec.Struct):
    access_token: str
    expires_in: float = 3600.0


class _Refusal(msgspec.Struct):
    error: str = ""
    error_description: str = ""


class _Token(msgspec.Struct, frozen=True):
    value: str
    ends: float  # time.monotonic()


def endpoint(key: str, token_url: str) -> str:
    """Where tokens are asked for; empty where the key file cannot be read."""
    try:
        return token_url or msgspec.json.decode(key, type=ServiceAccount).token_uri
    except kit.UNREADABLE:
        return ""


class Tokens:
    """The current token of one service account. `key`: the key file's text. Raises SetupError for an unusable one."""

    def __init__(self, key: str, out: Out, *, token_url: str = "") -> None:
        try:
            self._account = msgspec.json.decode(key, type=ServiceAccount)
        except msgspec.DecodeError as error:
            raise SetupError(
                f"The sender's key is not a Google service account's key file ({error}). Create a JSON key for the "
                "service account and apply the site again.",
                code="bad_key",
            ) from None
        try:
            private = load_pem_private_key(self._account.private_key.encode(), None)
        except (ValueError, TypeError):
            private = None
        if not isinstance(private, RSAPrivateKey):
            raise SetupError(
                "The private_key in the sender's key file is not an RSA key in PEM form. Use the file as Google gave "
                "it.",
                code="bad_key",
            )
        self._private = private
        self._url = token_url or self._account.token_uri
        self._out = out
        self._token: _Token | None = None
        self._asking: asyncio.Task[_Token] | None = None
        self._refused: tuple[float, SendError] | None = None

    async def get(self, deadline: float) -> str:
        """A token that is good now. Raises SendError (config: the key is refused; retry: no answer)."""
        token, now = self._token, time.monotonic()
        if token is not None and now < token.ends - RENEW_BEFORE:
            return token.value
        if token is not None and now < token.ends - UNUSABLE_BEFORE:
            if self._remembered(now) is None:
                self._ask()
            return token.value
        if refused := self._remembered(now):
            raise refused
        try:
            async with asyncio.timeout_at(deadline):
                return (await asyncio.shield(self._ask())).value
        except TimeoutError:
            raise SendError(
                "Google's token endpoint gave no token before the deadline. Nothing was sent.",
                code="token_away",
                fate=Fate.RETRY,
            ) from None

    def drop(self, value: str) -> None:
        """Forgets a token that the API refused; a newer one stays."""
        if self._token is not None and self._token.value == value:
            self._token = None

    async def close(self) -> None:
        if self._asking is not None:
            self._asking.cancel()

    def _remembered(self, now: float) -> SendError | None:
        if self._refused is None or now >= self._refused[0]:
            return None
        known = self._refused[1]
        return SendError(known.sentence, code=known.code, fate=known.fate, blame=known.blame, exchange=known.exchange)

    def _ask(self) -> asyncio.Task[_Token]:
        """The one renewal under way, started where there is none."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._renew())
            self._asking.add_done_callback(self._told)
        return self._asking

    def _told(self, task: asyncio.Task[_Token]) -> None:
        """Keeps a failure for those who ask next: it is told by their alerts and by the sender's pause. Callers that
        wait get it from the task itself."""
        if not task.cancelled() and isinstance(failed := task.exception(), SendError):
            wait = REMEMBER_REFUSED if failed.fate is Fate.CONFIG else REMEMBER_AWAY
            self._refused = (time.monotonic() + wait, failed)

    async def _renew(self) -> _Token:
        asked = time.monotonic()
        response = await self._post(asyncio.get_running_loop().time() + ASK_SECONDS)
        if response.status != 200:
            raise kit.error_from(response, _ROWS, who="Google's token endpoint", detail=_said(response.body))
        try:
            answer = msgspec.json.decode(response.body, type=_Answer, strict=False)
        except kit.UNREADABLE:
            raise kit.error(
                kit.Row("token_refused", Fate.CONFIG, "that is not an access token; token_url is wrong.", Blame.US),
                response,
                who="Google's token endpoint",
            ) from None
        self._refused = None
        self._token = _Token(answer.access_token, asked + answer.expires_in)
        return self._token

    async def _post(self, deadline: float) -> Response:
        form = urlencode({"grant_type": GRANT, "assertion": self._assertion(int(time.time()))}).encode()
        try:
            return await self._out.request(
                "POST",
                self._url,
                deadline=deadline,
                headers={"content-type": "application/x-www-form-urlencoded", "accept": "application/json"},
                body=form,
            )
        except SendError as lost:
            if lost.fate is not Fate.UNKNOWN:
                raise
            # Asking for a token has no effect that could be doubled: no answer is no token, never a message in doubt.
            sentence = f"Google's token endpoint did not answer. {lost.sentence}"
            raise SendError(sentence, code="token_away", fate=Fate.RETRY, exchange=lost.exchange) from None

    def _assertion(self, now: int) -> str:
        header = {"alg": "RS256", "typ": "JWT", "kid": self._account.private_key_id}
        claims = {
            "iss": self._account.client_email,
            "scope": SCOPE,
            "aud": self._url,
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
        }
        signed = b".".join(_base64url(msgspec.json.encode(part)) for part in (header, claims))
        return (signed + b"." + _base64url(self._private.sign(signed, PKCS1v15(), SHA256()))).decode()


def _base64url(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


def _said(body: bytes) -> str:
    try:
        refusal = msgspec.json.decode(body, type=_Refusal)
    except kit.UNREADABLE:
        return ""
    return " ".join(filter(None, (refusal.error, refusal.error_description)))
