"""What an agent may answer now: on which channel, until when, how long, and what remains where free words may not
go."""

from __future__ import annotations

import msgspec

from heliograph.core.content import Named, Text
from heliograph.core.conversation import Conversation, State, window_ends
from heliograph.core.fit import fit
from heliograph.core.language import closest
from heliograph.core.optout import may_answer
from heliograph.core.template import CompiledTemplate, TemplateState
from heliograph.flow.means import Means
from heliograph.flow.registry import OpenSender

LONGEST = 1_000  # characters of an answer where a provider's module does not say


class Usable(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A template that may be sent outside the window. `text`: what it would say; `values`: what the conversation's
    alert had for its `variables`."""

    name: str
    language: str
    text: str
    variables: tuple[str, ...]
    values: dict[str, str]


class Limits(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """`may`: free words may go now; if not, `code` and `why` say what is in the way, and `templates` what may go all
    the same. `window_ends` (ms): None where the channel has no window. `longest`: characters of one answer."""

    may: bool
    why: str = ""
    code: str = ""
    window_ends: int | None = None
    longest: int = LONGEST
    channel: str = ""
    templates: tuple[Usable, ...] = ()


async def limits(there: Conversation, means: Means) -> Limits:
    opened = sender_for(there, means)
    if opened is None or opened.plug is None:
        why = f"No sender of this server can write to the recipient on {there.channel or 'any channel'} now."
        return Limits(may=False, why=why, code="no_sender", channel=there.channel)
    longest = int(getattr(opened.plug, "LONGEST", LONGEST))
    until = window_ends(there.heard, opened.plug.CARRIES.window)
    closed = until is not None and until <= means.clock.now()
    if there.state is not State.OPEN:
        code, why = "closed", "The conversation is closed. The next words of the recipient open another."
    elif await opted_out(there, means):
        code, why = "opted_out", "The recipient wants no more messages, and has not written since."
    elif closed:
        hours = opened.plug.CARRIES.window // 3600
        code = "window_closed"
        why = f"The recipient wrote more than {hours} hours ago. Only a template may be sent until they write again."
    else:
        code = why = ""
    return Limits(
        may=not code,
        why=why,
        code=code,
        window_ends=until,
        longest=longest,
        channel=there.channel,
        templates=await usable(there, opened, means) if code == "window_closed" else (),
    )


def sender_for(there: Conversation, means: Means) -> OpenSender | None:
    """The sender to which the recipient wrote last; another of its channel where that one is gone. A test alert's
    conversation is answered by the sandbox's senders alone."""
    own = means.registry.sender(there.site, there.sender)
    found = (own, *means.registry.senders(there.site, there.channel))
    return next((one for one in found if one and one.provider and (one.sandbox or not there.test)), None)


async def opted_out(there: Conversation, means: Means) -> bool:
    """Whether the recipient said no and has not written since: who writes after a no wants an answer."""
    said = await means.store.last_no(there.site, there.recipient, there.channel, there.skill)
    return not may_answer(said, there.heard)


async def usable(there: Conversation, opened: OpenSender, means: Means) -> tuple[Usable, ...]:
    """Published templates that the sender can send outside the window, in the conversation's language where they have
    it."""
    record = await means.store.record(there.alerts[-1]) if there.alerts else None
    had = record.alert.variables if record else {}
    found: list[Usable] = []
    for name in means.registry.template_names(there.site):
        for compiled in means.registry.template(there.site, name):
            if compiled.template.state is not TemplateState.PUBLISHED:
                continue
            language = language_of(compiled, there.language)
            variables = tuple(variable.name for variable in compiled.template.variables)
            values = {variable: had.get(variable, compiled.defaults.get(variable, "")) for variable in variables}
            shown = named(compiled, language, values, opened)
            if shown is not None:
                found.append(Usable(name=name, language=language, text=shown.shown, variables=variables, values=values))
    return tuple(found)


def language_of(compiled: CompiledTemplate, language: str) -> str:
    """The template's language that is closest to the conversation's."""
    match = closest(language, compiled.languages) if language else None
    return match[0] if match else compiled.template.fallback_language or compiled.languages[0]


def named(compiled: CompiledTemplate, language: str, values: dict[str, str], opened: OpenSender) -> Named | None:
    """The template as the provider keeps it under a name; None where it is none of those."""
    content = compiled.render(language, opened.sender.channel, values)
    fitted = fit(content, opened.carries).content if content is not None else None
    return fitted if isinstance(fitted, Named) else None


def too_long(text: str, opened: OpenSender) -> str:
    """Why the provider would not take these words; empty where it would."""
    assert opened.plug is not None
    longest = int(getattr(opened.plug, "LONGEST", 0))
    if longest and len(text) > longest:
        return f"The answer has {len(text)} characters, {opened.sender.channel} takes {longest}. Shorten or part it."
    return " ".join(opened.plug.check(Text(text=text)))
