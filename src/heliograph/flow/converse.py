"""What agents do with a conversation, from the console or through the API: answer, claim, give back, transfer, close.

Each is one transaction that compares before it changes, so that two agents do not step on each other: who comes second
is told how it stands. Answers leave by their due row (answers.py), desks hear by theirs (desk.py).
"""

from __future__ import annotations

import msgspec

from heliograph.core.content import Content
from heliograph.core.conversation import FULL, By, Closer, Conversation, State, Turn
from heliograph.core.ports import Said
from heliograph.core.template import choose_version, needs
from heliograph.flow import courtesies
from heliograph.flow.limits import Limits, Usable, language_of, limits, named, sender_for, too_long
from heliograph.flow.live import Change
from heliograph.flow.means import Means

__all__ = ["Limits", "Refused", "Usable", "Words", "answer", "claim", "close", "limits", "release", "seen", "transfer"]

EXPIRES = 3_600_000  # ms in which an answer leaves or fails: an hour later the recipient reads it as a riddle


class Words(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An answer: free words, or a template with its variables."""

    text: str = ""
    template: str = ""
    variables: dict[str, str] = {}


class Refused(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Why not. `conversation`: as it stands now, None where there is none. Codes: closed, gone, anothers,
    window_closed, opted_out, too_long, no_sender, unknown_template, missing_variables, empty, content, full."""

    code: str
    sentence: str
    conversation: Conversation | None = None


async def answer(
    site: str, conversation: str, words: Words, *, agent: str, author: str, means: Means
) -> Turn | Refused:
    """The agent's words are on disk and due to leave. One that nobody claimed becomes this agent's. `agent` "" speaks
    without claiming (an API key)."""
    there = await means.store.conversation(site, conversation)
    if there is None:
        return _gone()
    now = means.clock.now()
    bounds = await limits(there, means)
    content: Content | None = None
    text = words.text.strip()
    opened = sender_for(there, means)
    if words.template:
        if bounds.code not in ("", "window_closed"):
            return Refused(code=bounds.code, sentence=bounds.why, conversation=there)
        assert opened is not None
        made = _from_template(there, words, means)
        if isinstance(made, Refused):
            return made
        content, text = made
    elif not text:
        return Refused(code="empty", sentence="The answer is empty. Write something first.", conversation=there)
    elif not bounds.may or opened is None:
        return Refused(code=bounds.code, sentence=bounds.why, conversation=there)
    elif long := too_long(text, opened):
        return Refused(code="too_long", sentence=long, conversation=there)
    turn = Turn(
        conversation=there.id,
        site=site,
        number=0,
        at=now,
        by=By.AGENT,
        kind="template" if words.template else "text",
        text=text,
        author=author,
        content=content,
        expires=now + EXPIRES,
    )
    said = await means.store.say(turn, agent=agent, now=now)
    if said.turn is None:
        return _refused(said)
    _changed(said, "answered", means)
    return said.turn


def _from_template(there: Conversation, words: Words, means: Means) -> tuple[Content, str] | Refused:
    opened = sender_for(there, means)
    version = choose_version(means.registry.template(there.site, words.template), "")
    if version is None or opened is None:
        sentence = f"The site has no published template {words.template!r}."
        return Refused(code="unknown_template", sentence=sentence, conversation=there)
    compiled = version.compiled
    missing = compiled.missing(words.variables)
    if missing:
        sentence = needs(compiled, "", missing, words.variables)
        return Refused(code="missing_variables", sentence=sentence, conversation=there)
    content = named(compiled, language_of(compiled, there.language), words.variables, opened)
    if content is None:
        sentence = f"The template {words.template} has no content for {there.channel} that may go outside its window."
        return Refused(code="unknown_template", sentence=sentence, conversation=there)
    assert opened.plug is not None
    if faults := opened.plug.check(content):
        return Refused(code="content", sentence=" ".join(faults), conversation=there)
    return content, content.shown


async def claim(
    site: str, conversation: str, *, agent: str, by: str, means: Means, expects: str | None = ""
) -> Conversation | Refused:
    """It is this agent's. `expects`: with whom it is now; None takes it from whoever has it."""
    now = means.clock.now()
    said = await means.store.assign(site, conversation, agent=agent, by=by, expects=expects, now=now)
    return _moved(said, means, agent)


async def release(
    site: str, conversation: str, *, by: str, means: Means, expects: str | None = None
) -> Conversation | Refused:
    """Back to its queue. `expects`: with whom it is now, None = whoever."""
    said = await means.store.assign(site, conversation, agent="", by=by, expects=expects, now=means.clock.now())
    return _moved(said, means, "")


async def transfer(
    site: str, conversation: str, *, skill: str, by: str, means: Means, expects: str | None = None
) -> Conversation | Refused:
    """To the queue of another skill, claimed by nobody. `expects`: with whom it is now, None = whoever."""
    known = means.registry.site(site)
    if known is not None and known.skills and skill not in known.skills:
        sentence = f"The site has no skill {skill!r}; it has {', '.join(sorted(known.skills))}."
        return Refused(code="unknown_skill", sentence=sentence)
    now = means.clock.now()
    said = await means.store.assign(site, conversation, agent="", by=by, expects=expects, skill=skill, now=now)
    if said.turn is None and said.conversation is not None and said.conversation.skill != skill:
        return _refused(said)
    return _moved(said, means, "")


async def close(site: str, conversation: str, *, closer: Closer, by: str, means: Means) -> Conversation | Refused:
    said = await means.store.close_conversation(site, conversation, closer, by, means.clock.now())
    if said.turn is None or said.conversation is None:
        return _refused(said)
    _changed(said, "closed", means)
    return said.conversation


async def typing(site: str, conversation: str, *, means: Means) -> None:
    """The agent types: the recipient sees it where the channel can show it."""
    there = await means.store.conversation(site, conversation)
    if there is not None and there.state is State.OPEN:
        means.behind(courtesies.typing(there, means))


async def seen(site: str, conversation: str, number: int, *, means: Means) -> None:
    """The agent has read up to turn `number`: the recipient sees it where the channel can show it."""
    there = await means.store.conversation(site, conversation)
    if there is not None:
        means.behind(courtesies.seen(there, number, means))


def _moved(said: Said, means: Means, agent: str) -> Conversation | Refused:
    there = said.conversation
    if there is None or there.state is not State.OPEN:
        return _refused(said)
    if said.turn is None and there.agent != agent:
        return _refused(said)
    _changed(said, "moved", means)
    return there


def _changed(said: Said, what: str, means: Means) -> None:
    there, turn = said.conversation, said.turn
    if there is not None:
        means.live.tell([Change(there.site, there.id, turn.number if turn else 0, what)])
        means.wake.set()


def _refused(said: Said) -> Refused:
    there = said.conversation
    if there is None:
        return _gone()
    if there.state is not State.OPEN:
        sentence = "The conversation is closed. The next words of the recipient open another."
        return Refused(code="closed", sentence=sentence, conversation=there)
    if there.turns >= FULL - 1:
        sentence = (
            "The conversation has as many turns as one can have. Close it: the recipient's next words open another."
        )
        return Refused(code="full", sentence=sentence, conversation=there)
    sentence = f"The conversation is {there.agent}'s now." if there.agent else "The conversation is nobody's now."
    return Refused(code="anothers", sentence=sentence, conversation=there)


def _gone() -> Refused:
    return Refused(code="gone", sentence="There is no such conversation here.")
