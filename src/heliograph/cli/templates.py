"""`heliograph templates`: list and show what is in force, lint files, and preview what a recipient would see."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from cyclopts import App, Parameter

from heliograph.cli import given, say
from heliograph.cli.templates_found import (
    carriers_of,
    channels_of,
    in_force,
    languages_of,
    meant,
    values_of,
    with_senders,
)
from heliograph.errors import SetupError

if TYPE_CHECKING:
    from heliograph.core.template import Template

app = App(name="templates", help="Templates: list, show, lint, preview.", help_format="plaintext")


@app.command(name="list")
def list_(*, site: str = "", json: given.Json = False, config: given.Config = None, **flags: given.Flags) -> None:
    """List every version of every template, of all sites or of one.

    Parameters
    ----------
    site
        This site's templates only.
    """
    found = asyncio.run(in_force(given.settings(config, flags), site))
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
                    "channels": channels_of(one),
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
                ", ".join(channels_of(one)),
                ", ".join(f"@{variable.name}" for variable in one.variables),
            )
            for one in found
        ],
        empty="No templates yet. They stand in templates/*.toml; `heliograph apply PATH` brings them in.",
    )


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
    template = meant(asyncio.run(in_force(given.settings(config, flags), site)), name, version)
    if json:
        say.data(template)
        return
    _say(template)
    for language, channels in template.languages.items():
        for channel, content in channels.items():
            _say_content(f"{language} · {channel}", content)


@app.command
def lint(
    path: Path,
    /,
    *,
    strict: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    json: given.Json = False,
) -> int:
    """Check a site's folder or one template's file: names every fault before an alert meets it. Nothing is written.

    Exit code 1 if there is a fault; warnings alone are 0. It needs no database, and none of the variables that
    site.toml takes from the environment.

    Parameters
    ----------
    strict
        Warnings make the exit code 1 too.
    """
    from heliograph import sitefiles

    wanted, faults = sitefiles.inspect(path, os.environ, given.plugs())
    if json:
        names = [{"site": one.site, "name": one.name, "version": one.version} for one in wanted.templates]
        say.data({"templates": names, "faults": faults, "warnings": wanted.notes})
    else:
        for sentence in faults:
            say.line(f"fault: {sentence}")
        for note in wanted.notes:
            say.line(f"warning: {note}")
        templates, found, notes = len(wanted.templates), len(faults), len(wanted.notes)
        say.line(
            f"{templates} template{'' if templates == 1 else 's'}: {found or 'no'} fault{'s' if found > 1 else ''}, "
            f"{notes} warning{'' if notes == 1 else 's'}."
        )
    return 1 if faults or (strict and wanted.notes) else 0


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
    """Draw what a recipient would see, in every language and on every channel, filled with the variables' examples.

    A channel without content of its own is drawn as it is made to fit, with the rules that were used; an SMS with its
    parts and what makes it dearer.

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
    from heliograph.cli.previewed import as_json, draw
    from heliograph.core import preview as seeing
    from heliograph.core.template import compile

    senders: frozenset[tuple[str, str]] = frozenset()
    if file is not None:
        from heliograph import sitefiles

        templates = list(sitefiles.read(file, os.environ, given.plugs(), templates_only=True).templates)
    else:
        templates, senders = asyncio.run(with_senders(given.settings(config, flags), site))
    template = meant(templates, name, version)
    compiled = compile(template)
    values = values_of(template, var)
    seen = [
        one
        for one in seeing.preview(compiled, values, carriers_of(senders, template))
        if one.language in languages_of(compiled, language) and channel in ("", one.channel)
    ]
    if not seen:
        raise SetupError(
            f"{name} has nothing for {' and '.join(word for word in (language, channel) if word)}. It has "
            f"{', '.join(compiled.languages)} on {', '.join(channels_of(template))}.",
            code="no_content",
        )
    if json:
        say.data([as_json(one) for one in seen])
        return
    _say(template)
    for one in seen:
        draw(one)


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
