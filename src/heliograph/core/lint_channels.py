"""The linter's part that holds a template against the channels: their limits, parts and price, what does not fit.
Everything is held against what the variables' examples make (core.preview)."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

import msgspec

from heliograph.core import render, sms
from heliograph.core.content import Content, Named, Text
from heliograph.core.finding import Finding, error, warning
from heliograph.core.preview import Carrier, Carriers, Seen, examples, preview
from heliograph.core.template import ANY, CompiledTemplate, Template

MANY = 3  # parts; a longer one is more often a slip than meant


def channels(template: Template, compiled: CompiledTemplate, carriers: Carriers) -> Iterator[Finding]:
    if carriers:
        yield from _unknown(template, carriers)
    for seen in preview(compiled, examples(template), carriers):
        place = f"languages.{seen.language}.{seen.channel if seen.own else ANY}"
        before = "" if seen.own else f"On {seen.channel}: "
        for sentence in dict.fromkeys(seen.faults):
            yield error(place, before + sentence)
        for sentence in seen.lost:
            yield warning(place, f"{before or f'On {seen.channel}: '}{sentence}")
        if seen.window and not isinstance(seen.content, Named):
            hours = seen.window // 3600
            yield warning(
                place,
                f"{before}Free content is sent only within {hours} hours of the recipient's last message; for all "
                "other times give the template that the provider keeps (template = …).",
            )
        if seen.size.parts > 1:
            yield warning(place, before + _parts(seen, template, compiled, carriers[seen.channel]))


def _unknown(template: Template, carriers: Carriers) -> Iterator[Finding]:
    for key, own in template.languages.items():
        for channel in own:
            if channel != ANY and channel not in carriers:
                near = difflib.get_close_matches(channel, list(carriers), n=1)
                hint = f" Did you mean {near[0]}?" if near else ""
                have = ", ".join(sorted(carriers))
                yield warning(
                    f"languages.{key}.{channel}", f"No channel {channel} is installed.{hint} There is: {have}."
                )


def _parts(seen: Seen, template: Template, compiled: CompiledTemplate, carriers: Sequence[Carrier]) -> str:
    size = seen.size
    sentence = f"With the examples it takes {size.parts} parts ({size.encoding}, {size.units} units), each is billed."
    if size.parts > MANY:
        sentence += f" More than {MANY} are seldom meant; shorten it."
    if not size.forced_by:
        return sentence
    sentence += f" {sms.said(size.forced_by)}{_where(seen, template, compiled)} forces {size.encoding}"
    carrier = {one.NAME: one for one in carriers}[seen.providers[0]]
    plain = _plain(seen.content)
    fewer = carrier.measure(plain).parts if plain is not None else size.parts
    if fewer < size.parts:
        return f"{sentence}; with plain characters it takes {fewer}."
    return f"{sentence}."


def _plain(content: Content) -> Content | None:
    """The content in plain characters, where it is a text."""
    return msgspec.structs.replace(content, text=sms.plain(content.text)) if isinstance(content, Text) else None


def _where(seen: Seen, template: Template, compiled: CompiledTemplate) -> str:
    """` in the example of @City`, where the character is not the template's own."""
    content = compiled.content(seen.language, seen.channel)
    if any(seen.size.forced_by in text for _, text in render.strings(content)):
        return ""
    guilty = [f"@{name}" for name, value in examples(template).items() if seen.size.forced_by in value]
    return f" in the example of {', '.join(guilty)}" if guilty else ""
