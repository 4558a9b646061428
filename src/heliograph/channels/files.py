"""Files that recipients sent, fetched from their provider: within bounds, and from its own hosts alone.

The address of a file comes from outside, in some channels from the recipient's own phone. So a host is asked only where
its provider is known to keep files there, credentials go to no other, and a redirect is checked like the first address.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urljoin, urlsplit

from heliograph.channels import kit
from heliograph.channels.kit import Row
from heliograph.core.ports import Fetched, Out, Response
from heliograph.errors import Blame, Fate, SendError

MOST = 16 * 1024 * 1024  # bytes; what phones send is below: WhatsApp's films end there, an MMS at 5 MiB
REDIRECTS = 2
UNTYPED = "application/octet-stream"

_GONE = Row("file_gone", Fate.PERMANENT, "the file is not there any more; ask the recipient to send it again.")
_AWAY = Row("file_away", Fate.RETRY, "the file did not come; try again.")
ANSWERS = {
    300: Row("file_away", Fate.RETRY, "a redirect too many; the file did not come."),
    400: _GONE,
    401: Row("credentials_refused", Fate.CONFIG, "the file is not for the sender's credentials.", Blame.US),
    403: Row("credentials_refused", Fate.CONFIG, "the file is not for the sender's credentials.", Blame.US),
    408: _AWAY,
    429: Row("throttled", Fate.RETRY, "too many calls."),
    500: _AWAY,
}


async def download(
    out: Out,
    url: str,
    *,
    who: str,
    hosts: Sequence[str],
    deadline: float,
    headers: Mapping[str, str] = {},
    secrets: Sequence[str] = (),
    then: Sequence[str] = (),
) -> Fetched:
    """The file at `url`. `hosts`: origins ("http://127.0.0.1:8090") and domains (".fbsbx.com" with all below it), which
    are spoken to over https alone. `then`: where a redirect may lead besides. `headers` go to the first address alone:
    one that somebody is sent to proves itself, and credentials beside that are refused by storage that signs its
    addresses. Raises SendError (core.ports.Fetches)."""
    for turn in range(REDIRECTS + 1):
        if not _one_of(url, (*hosts, *then) if turn else hosts):
            raise _elsewhere(url, who)
        asked = {} if turn else headers
        response = await _got(out, url, who=who, deadline=deadline, headers=asked, secrets=secrets)
        if response.status not in (301, 302, 303, 307, 308) or "location" not in response.headers:
            break
        url = urljoin(url, response.headers["location"])
    if response.status // 100 != 2:
        raise kit.error_from(response, ANSWERS, who=who)
    told = response.headers.get("content-type", "")
    return Fetched(content_type=essence(told) or UNTYPED, data=response.body)


async def _got(
    out: Out, url: str, *, who: str, deadline: float, headers: Mapping[str, str], secrets: Sequence[str]
) -> Response:
    try:
        return await out.request("GET", url, deadline=deadline, headers=headers, secrets=secrets, limit=MOST)
    except SendError as error:
        if error.code == "answer_too_long":
            raise too_large(who) from error
        if error.fate is Fate.UNKNOWN:
            error.fate = Fate.RETRY  # nothing was asked for that a repeat would do twice
        raise


def essence(content_type: str) -> str:
    """A type in lower case without its parameters: "audio/ogg; codecs=opus" → "audio/ogg"."""
    return content_type.partition(";")[0].strip().lower()


def too_large(who: str) -> SendError:
    return SendError(
        f"The file at {who} is larger than {MOST // 1024 // 1024} MiB. Nothing of it was kept; ask the recipient for a "
        "smaller one.",
        code="file_too_large",
        fate=Fate.PERMANENT,
        blame=Blame.RECIPIENT,
    )


def missing(who: str) -> SendError:
    return SendError(
        f"{who} did not say where the file is. Ask the recipient to send it again.",
        code="file_gone",
        fate=Fate.PERMANENT,
    )


def _elsewhere(url: str, who: str) -> SendError:
    host = urlsplit(url).hostname or "an address without a host" if _readable(url) else "an address that cannot be read"
    return SendError(
        f"The file is at {host}, which is no host of {who}'s; it was not fetched. Open its address yourself if you "
        "trust it.",
        code="file_elsewhere",
        fate=Fate.PERMANENT,
    )


def _readable(url: str) -> bool:
    try:
        urlsplit(url).port  # noqa: B018  a port that is none raises
    except ValueError:
        return False
    return True


def _one_of(url: str, hosts: Sequence[str]) -> bool:
    if not _readable(url):
        return False
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.username is not None:
        return False
    for one in hosts:
        if "://" in one:
            if f"{parts.scheme}://{parts.netloc}".lower() == one.rstrip("/").lower():
                return True
        elif parts.scheme == "https" and parts.port in (None, 443) and (host == one[1:] or host.endswith(one)):
            return True
    return False
