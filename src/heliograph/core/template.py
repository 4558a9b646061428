"""A template: what an alert says, per language and channel, with `@Name` variables. How they are read: render.py."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec

from heliograph.core import language, render
from heliograph.core.content import Content
from heliograph.core.fallback import Fallback
from heliograph.core.language import Way
from heliograph.errors import FieldFaults

ANY = "any"  # the content that serves every channel without one of its own


class TemplateState(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"


class Variable(msgspec.Struct, frozen=True, kw_only=True):
    """`required` holds where there is no default. `example` is what a preview shows."""

    name: str
    example: str = ""
    required: bool = True
    default: str | None = None


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a template. `languages`: BCP 47 tag → channel → content; the channel `any` serves those that have
    no content of their own. `tags`: what `proactiveTemplateVersion` may say to ask for this version."""

    site: str
    name: str
    version: str
    state: TemplateState = TemplateState.PUBLISHED
    tags: tuple[str, ...] = ()
    variables: tuple[Variable, ...] = ()
    languages: dict[str, dict[str, Content]]
    fallback_language: str | None = None
    channels: tuple[str, ...] = ()  # its own order; empty = the site's
    time_to_live: int | None = None  # seconds; None = the site's
    traffic: str = "transaction"
    fallback: Fallback = Fallback()  # what it says stands above the site's


class CompiledTemplate(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A template made ready to render. `languages` are its tags as BCP 47 writes them, in the template's order.

    `required`: variables that a call must send, whatever language and channel it gets. `defaults`: the value of each
    variable that may be left out ("" where it is not required and has no default).
    """

    template: Template
    languages: tuple[str, ...]
    fallback: str | None
    required: frozenset[str]
    defaults: dict[str, str]
    contents: dict[str, dict[str, Content]]
    makes: dict[str, dict[str, Content | render.Make]]

    def content(self, language: str, channel: str) -> Content | None:
        """The content that serves the channel, not rendered (true where there is one)."""
        channels = self.contents.get(language, {})
        return channels.get(channel) or channels.get(ANY)

    def missing(self, values: Mapping[str, str]) -> list[str]:
        """The variables that the template needs and `values` lacks, sorted."""
        return [] if self.required <= values.keys() else sorted(self.required - values.keys())

    def render(self, language: str, channel: str, values: Mapping[str, str]) -> Content | None:
        """What the recipient gets, or None where the template has nothing for this language and channel.

        Raises FieldFaults naming every variable that is missing; an alert held by core.intake has them all.
        """
        channels = self.makes.get(language)
        made = (channels.get(channel) or channels.get(ANY)) if channels else None
        if made is None:
            return None
        if not self.required <= values.keys():
            raise FieldFaults({"variables": needs(self, language, self.missing(values), values)})
        if not callable(made):
            return made
        content: Content = made({**self.defaults, **values} if self.defaults else values)
        return content


def compile(template: Template) -> CompiledTemplate:
    """Split every string once. Language keys are read as callers' are (`english`, `en_US`); one that nobody
    understands is kept as it is, so that a call may still ask for it to the letter."""
    names = render.pattern(variable.name for variable in template.variables)
    contents = {language.read(key) or key: channels for key, channels in template.languages.items()}
    fallback = template.fallback_language
    return CompiledTemplate(
        template=template,
        languages=tuple(contents),
        fallback=fallback if fallback is None or fallback in contents else language.read(fallback) or fallback,
        required=frozenset(v.name for v in template.variables if v.required and v.default is None),
        defaults={v.name: v.default or "" for v in template.variables if v.default is not None or not v.required},
        contents=contents,
        makes={
            key: {channel: render.prepared(content, names) for channel, content in channels.items()}
            for key, channels in contents.items()
        },
    )


def needs(compiled: CompiledTemplate, language: str, missing: Sequence[str], values: Mapping[str, str]) -> str:
    """The sentence for variables that a call lacks; a name that differs in case alone is pointed out."""
    template = compiled.template
    which = f"version {template.version}, {language}" if language else f"version {template.version}"
    sent = {name.casefold(): name for name in values}
    slips = [f"@{sent[name.casefold()]} for @{name}" for name in missing if name.casefold() in sent]
    hint = f" It sends {_and(slips)}: upper and lower case count." if slips else ""
    wanted = _and([f"@{name}" for name in missing])
    return f"Template {template.name} ({which}) needs {wanted}, which the call does not send.{hint}"


def _and(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """The version of a template that serves a call. `matched`: it carries the tag that the call asks for."""

    compiled: CompiledTemplate
    matched: bool


def choose_version(versions: Sequence[CompiledTemplate], tag: str) -> Version | None:
    """The published version tagged with `tag`, else the published one; the newest where there are several. A draft or
    a retired version is never used, whatever its tags. None: nothing is published."""
    if len(versions) == 1 and versions[0].template.state is TemplateState.PUBLISHED:
        return Version(compiled=versions[0], matched=bool(tag) and tag in versions[0].template.tags)
    published = [version for version in versions if version.template.state is TemplateState.PUBLISHED]
    if not published:
        return None
    tagged = [version for version in published if tag and tag in version.template.tags]
    candidates = tagged or published
    newest = candidates[0] if len(candidates) == 1 else max(candidates, key=lambda v: _natural(v.template.version))
    return Version(compiled=newest, matched=bool(tagged))


def _natural(version: str) -> list[tuple[int, str]]:
    """10 comes after 9, and 1.10 after 1.9; letters after digits."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.findall(r"\d+|\D+", version)]


class Language(msgspec.Struct, frozen=True, kw_only=True):
    """The language that serves a call, how it was found, and a note for the record ("" where it is just the asked)."""

    tag: str
    way: Way
    note: str = ""


def choose_language(compiled: CompiledTemplate, asked: str, site_default: str | None) -> Language | str:
    """What serves a call for `asked` (a word, a tag, a locale; empty = the site's default), or the sentence why none.

    In this order: exact, parent, sibling of another region, the template's fallback, the site's default.
    """
    template = compiled.template
    asked = asked.strip()
    wanted = asked or (site_default or "").strip()
    if not wanted:
        return "The language is missing; send a word such as english, a tag such as en, or a locale such as en_US."
    tag = wanted if wanted in compiled.contents else language.read(wanted)
    if tag is None:
        return language.unknown(wanted)
    found = language.closest(tag, compiled.languages)
    if found is not None and found[1] is Way.EXACT and asked:
        return Language(tag=tag, way=Way.EXACT)
    if found is not None:
        used, way = found
        why = f"as its {way}" if way is not Way.EXACT else "as the site's default, the call names none"
        return Language(tag=used, way=way, note=f"language {tag}: {used} is used, {why}")
    for way, other in ((Way.FALLBACK, compiled.fallback), (Way.SITE, site_default)):
        standby = language.closest(language.read(other) or other, compiled.languages) if other else None
        if standby is not None:
            owner = "the template's fallback" if way is Way.FALLBACK else "the site's default"
            return Language(tag=standby[0], way=way, note=f"language {tag}: {standby[0]} is used, {owner}")
    have = ", ".join(compiled.languages) or "none"
    which = f"{template.name} (version {template.version})"
    return f"Template {which} has no {tag} and no fallback language; it has {have}."
