"""A skill's name and its id at LivePerson, and the APIs that need an agent's key.

Names are unique there; whether their case counts is not documented, so that a name in another case is taken where it is
one skill's alone. Ids are numbers in the Skills API and texts in the Send API.
"""

from __future__ import annotations

import msgspec

from heliograph.core.ports import Response
from heliograph.desks import kit
from heliograph.desks.kit import Row
from heliograph.desks.liveperson import answers, signing
from heliograph.desks.liveperson.account import JSON, Account
from heliograph.desks.liveperson.kept import Kept
from heliograph.desks.liveperson.settings import Settings
from heliograph.errors import Blame, Fate, SendError

ALL = "-1"  # every skill
SECONDS = 600.0  # a list of skills serves
FRESH = 30.0  # seconds within which an unknown name asks no second time
NAMED = 20  # skills that an error names


class _Skill(msgspec.Struct):
    id: int
    name: str
    deleted: bool = False


async def read(
    account: Account,
    settings: Settings,
    method: str,
    url: str,
    deadline: float,
    body: bytes = b"",
) -> Response:
    """A call with the agent's key, or the bearer of a login; 200 or SendError."""
    credential = signing.authorization(settings, method, url) if settings.api_key else f"Bearer {settings.bearer}"
    headers = {"authorization": credential, **({"content-type": JSON} if body else {})}
    response = await account.ask(method, url, deadline, headers=headers, body=body)
    if response.status != 200:
        raise answers.waited(kit.error_from(response, who=answers.WHO, rows=answers.READING))
    return response


class Skills:
    """Those of one account. The settings' own pairs stand above what LivePerson lists."""

    def __init__(self, account: Account, settings: Settings) -> None:
        self._account = account
        self._settings = settings
        self._listed: Kept[dict[str, str]] = Kept(self._ask, early=60.0, outlives=True)
        self._asked: dict[str, str] = {}  # id → the name by which alerts ask for it

    async def id(self, name: str, deadline: float) -> str:
        """The id of a skill, as the Send API takes it. Raises SendError (config) that names it and those that are
        known."""
        if not name:
            return ALL
        found = _of(self._settings.skills, name) or await self._looked_up(name, deadline)
        self._asked[found] = name
        return found

    async def _looked_up(self, name: str, deadline: float) -> str:
        if not self._settings.reads:
            raise _unknown(name, self._settings.skills, "Add it to the desk's skills, or give an API key.")
        known = await self._listed.get(deadline)
        if (found := _of(known, name)) is None and self._listed.age > FRESH:
            self._listed.forget()
            known = await self._listed.get(deadline)
            found = _of(known, name)
        if found is None:
            raise _unknown(name, {**self._settings.skills, **known}, "Make it there, or correct the alert's skill.")
        return found

    def name(self, id: str) -> str:
        """The name of a skill by its id, from what is known already; the id itself where it has no name here, empty for
        all skills."""
        if id in ("", ALL):
            return ""
        if id in self._asked:
            return self._asked[id]
        for pairs in (self._settings.skills, self._listed.held() or {}):
            for name, one in pairs.items():
                if one == id:
                    return name
        return id

    async def shut(self) -> None:
        await self._listed.shut()

    async def _ask(self, deadline: float) -> tuple[dict[str, str], float]:
        base = await self._account.base("accountConfigReadOnly", deadline)
        url = f"{base}{self._account.path}/configuration/le-users/skills?v=2.0"
        response = await read(self._account, self._settings, "GET", url, deadline)
        try:
            told = msgspec.json.decode(response.body, type=list[_Skill], strict=False)
        except kit.UNREADABLE:
            row = Row("bad_answer", Fate.RETRY, "that is no list of skills.")
            raise kit.error(row, response, who=answers.WHO) from None
        return {one.name: str(one.id) for one in told if not one.deleted}, SECONDS


def _of(pairs: dict[str, str], name: str) -> str | None:
    if name in pairs:
        return pairs[name]
    same = {id for one, id in pairs.items() if one.casefold() == name.casefold()}
    return same.pop() if len(same) == 1 else None


def _unknown(name: str, pairs: dict[str, str], mend: str) -> SendError:
    listed = sorted(pairs)
    known = ", ".join(listed[:NAMED]) + (f" and {len(listed) - NAMED} more" if len(listed) > NAMED else "")
    return SendError(
        f"No skill {name!r} of LivePerson's is known here; known: {known or 'none'}. {mend} Nothing was handed over.",
        code="unknown_skill",
        fate=Fate.CONFIG,
        blame=Blame.US,
    )
