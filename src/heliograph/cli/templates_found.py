"""What the commands on templates find: the templates in force, the one that is meant, its languages and providers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.cli import given, say
from heliograph.errors import SetupError

if TYPE_CHECKING:
    from heliograph.core.ports import Plug
    from heliograph.core.template import CompiledTemplate, Template
    from heliograph.settings import Settings


def channels_of(template: Template) -> list[str]:
    return sorted({channel for channels in template.languages.values() for channel in channels})


async def in_force(settings: Settings, site: str) -> list[Template]:
    return (await with_senders(settings, site))[0]


async def with_senders(settings: Settings, site: str) -> tuple[list[Template], frozenset[tuple[str, str]]]:
    async with given.store(settings) as store:
        changes = await store.changes(0)
    found = sorted(
        (one for one in changes.templates if site in ("", one.site)), key=lambda one: (one.site, one.name, one.version)
    )
    return found, frozenset((one.channel, one.provider) for one in changes.senders if site in ("", one.site))


def meant(templates: list[Template], name: str, version: str) -> Template:
    """The version asked for, else the published one that comes last. Raises SetupError with what there is."""
    from heliograph.settings import close

    named = [one for one in templates if one.name == name]
    if not named:
        names = sorted({one.name for one in templates})
        raise SetupError(
            f"There is no template {name}.{close(name, names)} There is: {', '.join(names) or 'none yet'}.",
            code="unknown_template",
        )
    sites = sorted({one.site for one in named})
    if len(sites) > 1:
        raise SetupError(f"{name} is a template of the sites {', '.join(sites)}: add --site.", code="several_sites")
    if version:
        found = [one for one in named if one.version == version]
        if not found:
            versions = ", ".join(one.version for one in named)
            raise SetupError(f"{name} has no version {version}. It has: {versions}.", code="unknown_version")
        return found[0]
    return next((one for one in reversed(named) if one.state == "published"), named[-1])


def languages_of(compiled: CompiledTemplate, asked: str) -> tuple[str, ...]:
    from heliograph.core import language

    if not asked:
        return compiled.languages
    tag = language.read(asked)
    return tuple(one for one in compiled.languages if one == tag)


def carriers_of(senders: frozenset[tuple[str, str]], template: Template) -> dict[str, list[Plug]]:
    """The providers of these senders (channel, provider); all of a channel's where the template has content for it and
    no sender is there, and all that are installed where there is no sender at all."""
    theirs = {channel for channel, _ in senders}
    own = {*channels_of(template)} - theirs
    found: dict[str, list[Plug]] = {}
    for place, plug in given.plugs().items():
        if not senders or place in senders or place[0] in own:
            found.setdefault(place[0], []).append(plug)
    return found


def values_of(template: Template, said: tuple[str, ...]) -> dict[str, str]:
    """The examples, with what the command line says instead."""
    from heliograph.core.preview import examples

    values = examples(template)
    for one in said:
        key, equals, value = one.partition("=")
        if not equals or key.removeprefix("@") not in values:
            raise say.NotUnderstood(
                f"--var {one} does not serve: write NAME=VALUE with one of {', '.join(values) or 'no variable at all'}."
            )
        values[key.removeprefix("@")] = value
    return values
