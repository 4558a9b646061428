"""The inbox: the queue, one conversation in it, and what is known beside it.

A list walks one index a page at a time; counts end at 100. So no page costs more as conversations pile up.
"""

from __future__ import annotations

import re
from urllib.parse import urlencode

import msgspec

from heliograph.core.conversation import CONSOLE, Conversation, State, Turn
from heliograph.core.desk import Context
from heliograph.core.ports import Inbox, Queue
from heliograph.core.site import Site
from heliograph.flow import converse
from heliograph.flow.context import context
from heliograph.flow.converse import Limits
from heliograph.web.call import JSON, WebAnswer
from heliograph.web.console import inbox_info, inbox_view, render
from heliograph.web.console.visit import Visit

PAGE = 30
TURNS = 200  # newest turns that a page shows
OLDER = 100  # turns of an earlier conversation
NOBODY = "-"
GONE = "There is no such conversation among those that you see. It may have been transferred to a skill of others."
_id = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch
_place = re.compile(r"(\d{1,15}):([0-9a-f-]{36})").fullmatch
encode = msgspec.json.Encoder().encode


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of the queue is looked at."""

    site: str = ""
    skill: str = ""
    mine: bool = False
    unclaimed: bool = False
    closed: bool = False

    def address(self, **changes: object) -> str:
        """The query of the list with these changes, beginning with a question mark where there is one."""
        wanted = msgspec.structs.replace(self, **changes)
        pairs = {name: "1" if value is True else value for name, value in msgspec.to_builtins(wanted).items() if value}
        return f"?{urlencode(pairs)}" if pairs else ""


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the queue. `more`: the query of the next one, empty at the end."""

    asked: Asked
    rows: list[Conversation]
    more: str
    queues: list[tuple[Site, Queue]]

    @property
    def several(self) -> bool:
        """Whether queues of more than one site are there."""
        return len({site.id for site, _ in self.queues}) > 1


async def page(visit: Visit) -> WebAnswer:
    """The queue, nothing opened yet."""
    place = visit.doors.fan.place(visit.means)
    listed = await queue(visit)
    if visit.query.get("part") == "rows":
        html = render.text("inbox_rows.html", listed=listed, now=visit.now, current="")
        return WebAnswer(status=200, body=encode({"rows": html, "place": place}), headers=(*JSON, *render.GUARDS))
    return visit.page("inbox.html", listed=listed, place=place, there=None, view="queue", current="")


async def one(visit: Visit) -> WebAnswer:
    """One conversation, beside the queue that it was opened from."""
    there = await found(visit)
    if there is None:
        return visit.trouble(404, GONE)
    if visit.query.get("part") == "fresh":
        return await fresh(visit, there)
    return await shown(visit, there)


async def shown(
    visit: Visit,
    there: Conversation,
    *,
    status: int = 200,
    fault: str = "",
    draft: str = "",
    number: bool = False,
) -> WebAnswer:
    """`fault`: why an action was refused; `draft`: the words that were not sent; `number`: shown, and written down."""
    place = visit.doors.fan.place(visit.means)
    listed = await queue(visit)
    turns, about, bounds = await _all(visit, there)
    view = visit.query.get("view", "")
    return visit.page(
        "inbox.html",
        status=status,
        listed=listed,
        place=place,
        view="context" if view == "context" else "conversation",
        current=there.id,
        fault=fault,
        draft=draft,
        whole=number,
        turns=turns,
        before=turns[0].number - 1 if turns else 0,
        **_sent(about, "" if number else there.recipient),
        **parts(visit, there, about, bounds),
    )


def _sent(about: Context, hide: str) -> dict[str, object]:
    """What the brand sent, with the number `hide` masked in it."""
    raw = bytes(about.alert.alert_info) if about.alert else b""
    variables = about.alert.variables if about.alert else {}
    return {
        "info": inbox_info.masked(inbox_info.nodes(raw), hide),
        "raw_info": inbox_info.blotted(raw.decode("utf-8", "replace"), hide),
        "variables": {name: inbox_info.blotted(value, hide) for name, value in variables.items()},
    }


def parts(visit: Visit, there: Conversation, about: Context, bounds: Limits) -> dict[str, object]:
    """What the head and the answer box of a conversation need."""
    site = visit.means.registry.site(there.site)
    return {
        "there": there,
        "about": about,
        "limits": bounds,
        "kind": box_kind(bounds),
        "mine": there.agent == visit.user.name,
        "open": there.state is State.OPEN,
        "skills": [skill for skill in (site.skills if site else ()) if skill != there.skill],
        "any_skill": site is not None and not site.skills,
        "canned": inbox_view.canned(site, there, about, visit.user.name),
        "kept": there.desk == CONSOLE,
        "conversations": [one for one in about.conversations if sees(visit, one)],
    }


async def fresh(visit: Visit, there: Conversation, **more: object) -> WebAnswer:
    """What a page that is open replaces when something changed: the head, the answer box, the turns that came."""
    after = visit.query.get("after") or visit.form.get("known") or visit.form.get("after", "")
    since = int(after) if after.isdecimal() and len(after) < 10 else there.turns
    turns = await visit.means.store.turns(there.site, there.id, after=since, limit=TURNS)
    about, bounds = await _beside(visit, there)
    values = {"visit": visit, "csrf": visit.csrf, "now": visit.now, "fault": "", "draft": "", "whole": False}
    values |= parts(visit, there, about, bounds)
    said = {
        "number": there.turns,
        "touched": there.touched,
        "agent": there.agent,
        "state": there.state.value,
        "head": render.text("inbox_head.html", **values),
        "box": render.text("inbox_box.html", **values),
        "kind": values["kind"],
        "turns": [inbox_view.turn_event(turn, visit.now) for turn in turns],
        **more,
    }
    status = 409 if "fault" in more else 200
    return WebAnswer(status=status, body=encode(said), headers=(*JSON, *render.GUARDS))


def box_kind(bounds: Limits) -> str:
    """Which answer box stands there: a page replaces it only when this changes, so that a draft stays."""
    return "free" if bounds.may else f"{bounds.code} {len(bounds.templates)}"


async def found(visit: Visit) -> Conversation | None:
    """The conversation of the address, where the user may see it."""
    site, id = visit.params["site"], visit.params["id"]
    if not visit.sees(site) or not _id(id):
        return None
    there = await visit.means.store.conversation(site, id)
    return there if there is not None and sees(visit, there) else None


def sees(visit: Visit, there: Conversation) -> bool:
    skills = visit.user.skills
    return visit.sees(there.site) and (not skills or there.skill in skills or there.agent == visit.user.name)


async def earlier(visit: Visit) -> WebAnswer:
    """The turns of an earlier conversation, to be read beside the present one."""
    there = await found(visit)
    if there is None:
        return visit.trouble(404, GONE)
    turns = await visit.means.store.turns(there.site, there.id, newest=True, limit=OLDER)
    html = render.text("inbox_turns.html", turns=turns, now=visit.now)
    return WebAnswer(status=200, body=html.encode(), headers=render.HTML)


async def queue(visit: Visit) -> Listed:
    """The page of the queue that the address asks for, over all sites that the user sees."""
    query = visit.query
    sites = [site for site in visit.sites if query.get("site", site.id) == site.id]
    skill = query.get("skill", "")
    own = visit.user.skills
    skills = (skill,) if skill and (not own or skill in own) else own
    asked = Asked(
        site=query.get("site", ""),
        skill=skill,
        mine=bool(query.get("mine")),
        unclaimed=bool(query.get("unclaimed")),
        closed=bool(query.get("closed")),
    )
    match = _place(query.get("before", ""))
    before = (int(match[1]), match[2]) if match else None
    rows: list[Conversation] = []
    for site in sites:
        rows += await visit.means.store.conversations(
            Inbox(
                site=site.id,
                state=State.CLOSED if asked.closed else State.OPEN,
                skills=skills,
                agent=visit.user.name if asked.mine else NOBODY if asked.unclaimed else "",
                before=before,
                limit=PAGE + 1,
            )
        )
    rows.sort(key=lambda row: (row.touched, row.id), reverse=True)
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    more = asked.address() if last else ""
    if last:
        more = f"{more}{'&' if more else '?'}before={last.touched}:{last.id}"
    # A conversation that is kept elsewhere (at a desk that the site had before) is that desk's to answer.
    queues = [] if before else await counted(visit)
    return Listed(asked=asked, rows=[row for row in rows[:PAGE] if row.desk == CONSOLE], more=more, queues=queues)


async def counted(visit: Visit) -> list[tuple[Site, Queue]]:
    """Every queue that the user sees, of sites whose desk this is; those of a site's own skills also while they are
    empty."""
    found: list[tuple[Site, Queue]] = []
    for site in visit.sites:
        if visit.means.registry.desk(site.id).setup.desk != CONSOLE:
            continue
        queues = {one.skill: one for one in await visit.means.store.queues(site.id, visit.user.skills)}
        for skill in site.skills:
            if not visit.user.skills or skill in visit.user.skills:
                queues.setdefault(skill, Queue(skill=skill, open=0, unclaimed=0))
        found += [(site, queues[skill]) for skill in sorted(queues)]
    return found


async def _all(visit: Visit, there: Conversation) -> tuple[list[Turn], Context, Limits]:
    turns = await visit.means.store.turns(there.site, there.id, newest=True, limit=TURNS)
    about, bounds = await _beside(visit, there)
    return turns, about, bounds


async def _beside(visit: Visit, there: Conversation) -> tuple[Context, Limits]:
    """The context of the newest alert that the conversation speaks of, and what may be answered."""
    alert = there.alerts[-1] if there.alerts else there.alert
    about = await context(there.site, alert, there.recipient, visit.means, conversation=there.id)
    return about, await converse.limits(there, visit.means)
