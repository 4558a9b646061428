"""What an agent does with a conversation. A page with its script gets how it stands now; a plain form gets the page.

Whoever acts on what he saw a moment ago says what that was (`expects`, `after`): where it is another's meanwhile
nothing is done and the answer says how it stands, and an answer that comes twice, since the first word back was lost,
leaves once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from heliograph.core import phone
from heliograph.core.conversation import By, Closer, Conversation, Turn
from heliograph.core.optout import ALL, OptOut
from heliograph.flow import converse
from heliograph.flow.converse import Refused, Words
from heliograph.web.call import JSON, WebAnswer
from heliograph.web.console import inbox, render, words
from heliograph.web.console.gate import Page
from heliograph.web.console.visit import Visit

LOOKED_AT = 50  # turns after those that the page knew, among which a repeated answer is looked for
LONGEST = 20_000  # characters that are read of an answer; no channel takes as many
LONGEST_SKILL = 200  # characters
VARIABLE = "var."  # before the names of a template's fields
Deed = Callable[[Visit, Conversation], Awaitable[Refused | None]]


async def _act(deed: Deed, visit: Visit) -> WebAnswer:
    wants_json = "application/json" in visit.call.header(b"accept")
    there = await inbox.found(visit)
    if there is None:
        return render.plain(404, inbox.GONE) if wants_json else visit.trouble(404, inbox.GONE)
    refused = await deed(visit, there)
    now = await visit.means.store.conversation(there.site, there.id)
    if now is None or not inbox.sees(visit, now):  # transferred to a skill of others
        if wants_json:
            return WebAnswer(status=200, body=inbox.encode({"gone": True}), headers=(*JSON, *render.GUARDS))
        return visit.redirect("/console/inbox")
    if wants_json:
        more = {"fault": refused.sentence, "code": refused.code} if refused else {}
        return await inbox.fresh(visit, now, **more)
    if refused is not None:
        return await inbox.shown(visit, now, status=409, fault=refused.sentence, draft=_text(visit))
    return visit.redirect(f"/console/inbox/{now.site}/{now.id}")


async def _answer(visit: Visit, there: Conversation) -> Refused | None:
    text, template, me = _text(visit), visit.form.get("template", ""), visit.user.name
    variables = {name[len(VARIABLE) :]: value for name, value in visit.form.items() if name.startswith(VARIABLE)}
    if await _repeated(visit, there, text, template):
        return None
    wanted = Words(text="" if template else text, template=template, variables=variables)
    said = await converse.answer(there.site, there.id, wanted, agent=me, author=me, means=visit.means)
    return None if isinstance(said, Turn) else said


async def _repeated(visit: Visit, there: Conversation, text: str, template: str) -> bool:
    """Whether this very answer was written after the turns that the page knew."""
    after = visit.form.get("after", "")
    if template or not after.isdecimal() or len(after) > 9 or int(after) >= there.turns:
        return False
    turns = await visit.means.store.turns(there.site, there.id, after=int(after), limit=LOOKED_AT)
    own = (turn for turn in turns if turn.by is By.AGENT and turn.author == visit.user.name)
    return any(turn.text == text.strip() for turn in own)


async def _claim(visit: Visit, there: Conversation) -> Refused | None:
    me, expects = visit.user.name, visit.form.get("expects", "")
    said = await converse.claim(there.site, there.id, agent=me, by=me, means=visit.means, expects=expects)
    return _refused(said)


async def _release(visit: Visit, there: Conversation) -> Refused | None:
    me, expects = visit.user.name, visit.form.get("expects", "")
    return _refused(await converse.release(there.site, there.id, by=me, means=visit.means, expects=expects))


async def _transfer(visit: Visit, there: Conversation) -> Refused | None:
    skill = visit.form.get("skill", "")
    if not skill:
        return Refused(code="no_skill", sentence="Choose the skill to transfer it to.", conversation=there)
    if len(skill) > LONGEST_SKILL or not skill.isprintable():
        # Where a site names no skills any word is one, and each stands in the lists of all who look.
        sentence = f"A skill is a name of at most {LONGEST_SKILL} characters that print. Nothing was changed."
        return Refused(code="unknown_skill", sentence=sentence, conversation=there)
    me, expects = visit.user.name, visit.form.get("expects", "")
    said = await converse.transfer(there.site, there.id, skill=skill, by=me, means=visit.means, expects=expects)
    return _refused(said)


async def _close(visit: Visit, there: Conversation) -> Refused | None:
    expects = visit.form.get("expects", "")
    if there.agent not in (expects, visit.user.name):
        sentence = f"The conversation is {there.agent}'s now, and was not closed. Ask, or take it over first."
        return Refused(code="anothers", sentence=sentence, conversation=there)
    me = visit.user.name
    return _refused(await converse.close(there.site, there.id, closer=Closer.AGENT, by=me, means=visit.means))


async def _opt_out(visit: Visit, there: Conversation) -> Refused | None:
    """The recipient wants nothing more, on any channel: written down with the line of the audit log."""
    row = OptOut(site=there.site, recipient=there.recipient, scope=ALL, at=visit.now, how="console", by=visit.user.name)
    line = visit.audited(
        "opt_out.added", on=phone.mask(there.recipient), site=there.site, detail="scope all, from a conversation"
    )
    await visit.means.store.put_opt_outs((row,), (line,))
    return None


async def number(visit: Visit) -> WebAnswer:
    """The number whole, once it is written down that it was asked for."""
    there = await inbox.found(visit)
    if there is None:
        return visit.trouble(404, inbox.GONE)
    on = there.alert or phone.mask(there.recipient)
    await visit.means.store.audit(visit.audited("number.shown", on=on, site=there.site, detail="a conversation"))
    if "application/json" in visit.call.header(b"accept"):
        whole = {"number": words.spaced(there.recipient), "plain": there.recipient}
        return WebAnswer(status=200, body=inbox.encode(whole), headers=(*JSON, *render.GUARDS))
    return await inbox.shown(visit, there, number=True)


async def typing(visit: Visit) -> WebAnswer:
    """The agent types; said only of a conversation that is his."""
    there = await inbox.found(visit)
    if there is not None and there.agent == visit.user.name:
        await converse.typing(there.site, there.id, means=visit.means)
    return WebAnswer(status=204, headers=render.GUARDS)


async def seen(visit: Visit) -> WebAnswer:
    """The agent has read up to a turn; said only of a conversation that is his, since looking on is not reading."""
    there = await inbox.found(visit)
    until = visit.form.get("number", "")
    if there is not None and there.agent == visit.user.name and until.isdecimal() and len(until) < 10:
        await converse.seen(there.site, there.id, int(until), means=visit.means)
    return WebAnswer(status=204, headers=render.GUARDS)


def _text(visit: Visit) -> str:
    """A form's lines end in CR LF (WHATWG HTML section 4.10.22.4); messages' in LF."""
    return visit.form.get("text", "")[:LONGEST].replace("\r\n", "\n")


def _refused(said: Conversation | Refused) -> Refused | None:
    return said if isinstance(said, Refused) else None


ACTS: dict[str, tuple[Page, str]] = {
    "answer": (partial(_act, _answer), "An answer to the recipient"),
    "claim": (partial(_act, _claim), "The conversation is the user's"),
    "release": (partial(_act, _release), "The conversation goes back to its queue"),
    "transfer": (partial(_act, _transfer), "The conversation goes to another skill"),
    "close": (partial(_act, _close), "The conversation is closed"),
    "opt-out": (partial(_act, _opt_out), "The recipient wants no more messages"),
    "number": (number, "The recipient's number, which is audited"),
    "typing": (typing, "The agent types"),
    "seen": (seen, "The agent has read the recipient's words"),
}
