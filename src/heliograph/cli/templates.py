"""`heliograph templates`: list and show what is in force, lint files, and preview what a recipient would see."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from cyclopts import App, Parameter

from heliograph.cli import given, say
from heliograph.errors import SetupError

if TYPE_CHECKING:
    from heliograph.core.template import CompiledTemplate, Template
    from heliograph.settings import Settings

app = App(name="templates", help="Templates: list, show, lint, preview.", help_format="plaintext")


@app.command(name="list")
def list_(*, site: str = "", json: given.Json = False, config: given.Config = None, **flags: given.Flags) -> None:
    """List every version of every template, of all sites or of one.

    Parameters
    ----------
    site
        This site's templates only.
    """
    found = asyncio.run(_all(given.settings(config, flags), site))
    if json:
        say.data(
            [
                {
                    "site": one.site,
                    "name": one.name,
                    "version": one.version,
                    "state": one.state,
                    "tags": one.tags,
                    "languages": list(one.languages),
                    "channels": _channels(one),
                    "variables": [variable.name for variable in one.variables],
                }
                for one in found
            ]
        )
        return
    say.table(
        ("site", "template", "version", "state", "tags", "languages", "channels", "variables"),
        [
            (
                one.site,
                one.name,
                one.version,
                say.state(one.state),
                ", ".join(one.tags),
                ", ".join(one.languages),
                ", ".join(_channels(one)),
                ", ".join(f"@{variable.name}" for variable in one.variables),
            )
            for one in found
        ],
        empty="No templates yet. They stand in templates/*.toml; `heliograph apply PATH` brings them in.",
    )


def _channels(template: Template) -> list[str]:
    return sorted({channel for channels in template.languages.values() for channel in channels})


async def _all(settings: Settings, site: str) -> list[Template]:
    async with given.store(settings) as store:
        found = [one for one in (await store.changes(0)).templates if site in ("", one.site)]
    return sorted(found, key=lambda one: (one.site, one.name, one.version))


@app.command
def show(
    name: str,
    /,
    *,
    site: str = "",
    version: str = "",
    json: given.Json = False,
    config: given.Config = None,
    **flags: given.Flags,
) -> None:
    """Show a template as it is in force: each language and channel, with its variables as they are written.

    Parameters
    ----------
    site
        Whose template, where several sites have one of this name.
    version
        This version; else the newest published one.
    """
    template = _one(asyncio.run(_all(given.settings(config, flags), site)), name, version)
    if json:
        say.data(template)
        return
    _say(template)
    for language, channels in template.languages.items():
        for channel, content in channels.items():
            _say_content(f"{language} · {channel}", content)


@app.command
def lint(path: Path, /, *, json: given.Json = False) -> int:
    """Check a site's folder or one template's file: names every fault before an alert meets it. Nothing is written.

    Exit code 1 if there is a fault; warnings alone are 0. It needs no database, and none of the variables that
    site.toml takes from the environment.
    """
    from heliograph import sitefile

    wanted = sitefile.read(path, os.environ, given.plugs(), templates_only=True)
    if json:
        names = [{"site": one.site, "name": one.name, "version": one.version} for one in wanted.templates]
        say.data({"templates": names, "warnings": wanted.notes})
        return 0
    for note in wanted.notes:
        say.line(f"warning: {note}")
    count = len(wanted.templates)
    say.line(f"{count} template{'' if count == 1 else 's'}: no fault, {len(wanted.notes)} warnings.")
    return 0


@app.command
def preview(
    name: str,
    /,
    *,
    file: Path | None = None,
    site: str = "",
    version: str = "",
    language: str = "",
    channel: str = "",
    var: Annotated[tuple[str, ...], Parameter(negative="", show_default=False)] = (),
    json: given.Json = False,
    config: given.Config = None,
    **flags: given.Flags,
) -> None:
    """Draw what a recipient would see, in every language and channel, filled with the variables' examples.

    Parameters
    ----------
    file
        Read the template from this site's folder or file instead of the database.
    site
        Whose template, where several sites have one of this name.
    version
        This version; else the newest published one.
    language
        This language only.
    channel
        This channel only.
    var
        Another value than the example, as in --var Gate=C35.
    """
    from heliograph.core.template import compile

    if file is not None:
        from heliograph import sitefile

        templates = list(sitefile.read(file, os.environ, given.plugs(), templates_only=True).templates)
    else:
        templates = asyncio.run(_all(given.settings(config, flags), site))
    template = _one(templates, name, version)
    compiled = compile(template)
    values = {one.name: one.example or one.default or one.name for one in template.variables}
    for one in var:
        key, equals, value = one.partition("=")
        if not equals or key.removeprefix("@") not in values:
            raise say.NotUnderstood(
                f"--var {one} does not serve: write NAME=VALUE with one of {', '.join(values) or 'no variable at all'}."
            )
        values[key.removeprefix("@")] = value
    drawn = [
        (tag, medium, content)
        for tag in _languages(compiled, language)
        for medium in _channels(template)
        if channel in ("", medium) and (content := compiled.render(tag, medium, values)) is not None
    ]
    if not drawn:
        raise SetupError(
            f"{name} has nothing for {' and '.join(word for word in (language, channel) if word)}. It has "
            f"{', '.join(compiled.languages)} on {', '.join(_channels(template))}.",
            code="no_content",
        )
    if json:
        say.data([{"language": tag, "channel": medium, "content": content} for tag, medium, content in drawn])
        return
    _say(template)
    for tag, medium, content in drawn:
        _say_content(f"{tag} · {medium}", content)


def _languages(compiled: CompiledTemplate, asked: str) -> tuple[str, ...]:
    from heliograph.core import language

    if not asked:
        return compiled.languages
    tag = language.read(asked)
    return tuple(one for one in compiled.languages if one == tag)


def _one(templates: list[Template], name: str, version: str) -> Template:
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


def _say(template: Template) -> None:
    tags = f", tags {', '.join(template.tags)}" if template.tags else ""
    say.line(f"{template.name}, version {template.version}, {template.state}{tags} (site {template.site})")
    for one in template.variables:
        default = "" if one.default is None else f", else {msgspec.json.encode(one.default).decode()}"
        needed = "needed" if one.required and one.default is None else "may be left out"
        say.line(f"  @{one.name}: {needed}{default}" + (f", as in {one.example}" if one.example else ""))


def _say_content(title: str, content: object) -> None:
    from heliograph.cli.bubble import bubble

    say.line(f"\n{title}")
    say.show(bubble(content))  # type: ignore[arg-type]
