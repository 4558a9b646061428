"""The linter: what is wrong with a template, found before an alert meets it.

What it finds: finding.py. What has to do with the channels and their providers: lint_channels.py.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterator

from heliograph.core import language, render
from heliograph.core.content import Card, CardBody, Carousel, Content, File, Named, Suggestion, Text, media_of
from heliograph.core.fallback import unwise
from heliograph.core.finding import Finding, Level, error, warning
from heliograph.core.lint_channels import channels
from heliograph.core.preview import Carriers, stand_in
from heliograph.core.template import ANY, CompiledTemplate, Template, compile

__all__ = ["Finding", "Level", "lint"]

_NAME = re.compile(r"\w+")
# Explicit marks of direction: embeddings and isolates are opened and closed, LRM, RLM and ALM stand alone.
_OPENING = "\u202a\u202b\u202d\u202e\u2066\u2067\u2068"
_CLOSING = "\u202c\u2069"
_ISOLATE, _POP = "\u2068", "\u2069"  # first strong isolate … pop
_MARKS = re.compile("[\u200e\u200f\u061c" + _OPENING + _CLOSING + "]")


def lint(template: Template, carriers: Carriers) -> list[Finding]:
    """Every finding, errors first, else in the template's order. Limits (those of `carriers`) are held against what
    `example` values make; a variable without an example counts as its default, else as its name."""
    compiled = compile(template)
    found = [
        *_variables(template),
        *_languages(template, compiled),
        *_uses(template),
        *_contents(template),
        *channels(template, compiled, carriers),
        *(warning(place, sentence) for place, sentence in unwise(template.fallback)),
    ]
    return sorted(found, key=lambda finding: finding.level is Level.WARNING)


def _each(template: Template) -> Iterator[tuple[str, str, Content]]:
    for key, own in template.languages.items():
        for channel, content in own.items():
            yield key, f"languages.{key}.{channel}", content


def _variables(template: Template) -> Iterator[Finding]:
    for name, count in Counter(variable.name for variable in template.variables).items():
        place = f"variables.{name}"
        if count > 1:
            yield error(place, f"@{name} is declared {count} times; keep one.")
        if not _NAME.fullmatch(name):
            yield error(place, f"{name!r} cannot be a variable's name; use letters, digits and underscores, without @.")
    for variable in template.variables:
        if not variable.example:
            sentence = f"@{variable.name} has no example; previews and limits show its {stand_in(variable)[0]} instead."
            yield warning(f"variables.{variable.name}", sentence)


def _languages(template: Template, compiled: CompiledTemplate) -> Iterator[Finding]:
    if not template.languages:
        yield error("languages", "The template has no language; add one, such as languages.en.")
        return
    read = {key: language.read(key) for key in template.languages}
    for key, tag in read.items():
        if tag is None:
            yield error(f"languages.{key}", f"{key!r} is no language that is known; write a tag such as en or pt-BR.")
        elif [*read.values()].count(tag) > 1:
            same = ", ".join(other for other, its in read.items() if its == tag)
            yield error(f"languages.{key}", f"{same} are all {tag}, only one of them would be used; keep one.")
        elif tag != key:
            yield warning(f"languages.{key}", f"{key!r} is read as {tag}; write it so.")
    fallback = template.fallback_language
    have = ", ".join(compiled.languages)
    if fallback is None:
        sentence = f"There is no fallback language: a call for a language other than {have} may be refused."
        yield warning("fallback_language", sentence)
    elif language.closest(compiled.fallback or fallback, compiled.languages) is None:
        yield error("fallback_language", f"The fallback language {fallback!r} is not in the template; it has {have}.")
    everywhere = list(dict.fromkeys(channel for own in template.languages.values() for channel in own))
    for key, own in template.languages.items():
        lacking = [channel for channel in everywhere if channel not in own]
        if not own:
            yield error(f"languages.{key}", f"The language {key} has no content; add one, such as languages.{key}.rcs.")
        elif lacking and ANY not in own:
            yield warning(f"languages.{key}", f"{key} has nothing for {', '.join(lacking)}, other languages have.")
    for channel in template.channels:
        if channel not in everywhere and ANY not in everywhere:
            yield warning("channels", f"The order names {channel}, and no language has content for it.")


def _uses(template: Template) -> Iterator[Finding]:
    """Declared against used, and what looks like a variable and is none."""
    declared = [variable.name for variable in template.variables]
    names = render.pattern(declared)
    used: dict[str, set[str]] = {}
    for key, place, content in _each(template):
        for inner, text in render.strings(content):
            variables = [found for found in names.finditer(text) if found[1] is not None]
            used.setdefault(key, set()).update(found[1] for found in variables)
            replaced = {found.start() for found in variables}
            for start, word, within in render.looks_like_variables(text):
                if start not in replaced:
                    yield _undeclared(f"{place}.{inner}", word, within, declared)
    for name in declared:
        without = [key for key in template.languages if name not in used.get(key, set())]
        if len(without) == len(template.languages):
            yield warning(f"variables.{name}", f"@{name} is declared and used nowhere.")
        elif without:
            yield warning(f"variables.{name}", f"@{name} is not used in {', '.join(without)}, other languages use it.")


def _undeclared(place: str, word: str, within: bool, declared: list[str]) -> Finding:
    if within or word[0].isdigit():
        return warning(place, f"@{word} is left as it is written; write @@{word} to say that a plain @ is meant.")
    near = difflib.get_close_matches(word.casefold(), {name.casefold(): name for name in declared}, n=1)
    hint = next((f" Did you mean @{name}?" for name in declared if near and name.casefold() == near[0]), "")
    return error(place, f"@{word} is not declared and would be sent as it is written.{hint} Declare it, or write @@.")


def _contents(template: Template) -> Iterator[Finding]:
    for key, place, content in _each(template):
        yield from _empty(place, content)
        yield from _suggestions(place, content)
        if isinstance(content, Named) and place.endswith(f".{ANY}"):
            yield warning(place, "A message that a provider keeps belongs to its channel; write it there, not for any.")
        if isinstance(content, Named) and content.free is not None:
            yield from _empty(f"{place}.free", content.free)
            yield from _suggestions(f"{place}.free", content.free)
        for inner, text in render.strings(content):
            if ".native." not in f".{inner}":
                yield from _direction(f"{place}.{inner}", text, key, template)


def _bodies(content: Content) -> list[tuple[str, CardBody]]:
    match content:
        case Card(card=body):
            return [(".card", body)]
        case Carousel(cards=bodies):
            return [(f".cards[{index}]", body) for index, body in enumerate(bodies)]
        case _:
            return []


def _empty(place: str, content: Content) -> Iterator[Finding]:
    if isinstance(content, Text) and not content.text.strip():
        yield error(f"{place}.text", "The text is empty.")
    if isinstance(content, Named) and not content.shown.strip():
        sentence = "shown is missing: without it nobody sees what the recipient reads, and no other channel can say it."
        yield error(f"{place}.shown", sentence)
    if isinstance(content, Carousel) and not content.cards:
        yield error(f"{place}.cards", "The carousel has no card.")
    for inner, body in _bodies(content):
        if not (body.title.strip() or body.description.strip() or body.media):
            yield error(place + inner, "The card is empty; give it a title, a description or a medium.")
    for media in media_of(content):
        if bool(media.url) == bool(media.upload):
            have = "both url and upload" if media.url else "neither url nor upload"
            yield error(f"{place}{'.media' if isinstance(content, File) else ''}", f"A medium has {have}; give it one.")


def _suggestions(place: str, content: Content) -> Iterator[Finding]:
    groups = [("", content.suggestions), *((inner, body.suggestions) for inner, body in _bodies(content))]
    postbacks: dict[str, Suggestion] = {}
    for inner, suggestions in groups:
        texts: set[str] = set()
        for index, suggestion in enumerate(suggestions):
            at = f"{place}{inner}.suggestions[{index}]"
            if not suggestion.text.strip():
                yield error(f"{at}.text", "The suggestion has no text: nobody could tap it.")
            elif suggestion.text in texts:
                yield warning(f"{at}.text", f"{suggestion.text!r} stands here twice; the recipient cannot tell which.")
            texts.add(suggestion.text)
            first = postbacks.setdefault(suggestion.postback, suggestion)
            if suggestion.postback and first is not suggestion:
                sentence = f"The postback {suggestion.postback!r} comes from two suggestions; a tap cannot tell which."
                yield warning(f"{at}.postback", sentence)


def _direction(place: str, text: str, key: str, template: Template) -> Iterator[Finding]:
    opened = 0
    for mark in text:
        opened += (mark in _OPENING) - (mark in _CLOSING)
        if opened < 0:
            break
    if opened:
        yield error(place, "A mark of direction is opened and not closed, or closed and not opened; pair them.")
    if not language.right_to_left(key):
        if _MARKS.search(text):
            yield warning(place, f"The text holds invisible marks of direction, and {key} is written left to right.")
        return
    if place.rsplit(".", 1)[-1] not in ("text", "title", "description", "label"):
        return
    parts = render.split(text, render.pattern(variable.name for variable in template.variables))
    bare = [
        f"@{parts[at]}"
        for at in range(1, len(parts), 2)
        if not (parts[at - 1].endswith(_ISOLATE) and parts[at + 1].startswith(_POP))
    ]
    if bare:
        sentence = f"{', '.join(bare)}: put U+2068 before and U+2069 after, or a Latin value may disorder the line."
        yield warning(place, sentence)
