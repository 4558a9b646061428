"""A message as the recipient sees it, drawn for a terminal: text, card, carousel, file, named message, with their
chips."""

from __future__ import annotations

from rich.box import ROUNDED
from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text as Line

from heliograph.cli import say
from heliograph.core.content import (
    Card,
    CardBody,
    Carousel,
    Content,
    Dial,
    File,
    Media,
    Named,
    OpenUrl,
    Suggestion,
    Text,
)

WIDTH = 46  # columns: about what a phone shows in a line, and two cards fit side by side


def bubble(content: Content) -> RenderableType:
    """The message and, under it, its chips."""
    match content:
        case Text():
            main: RenderableType = _box(Line(say.clean(content.text)))
        case Card(card=body):
            main = _card(body)
        case Carousel(cards=bodies):
            main = Columns([_card(body) for body in bodies])
        case File(media=media):
            main = _box(_media(media))
        case Named():
            lines = [_media(one.media) for one in content.header if one.media]
            main = _box(Group(*lines, Line(say.clean(content.shown or content.name))))
    return Group(main, _chips(content.suggestions)) if content.suggestions else main


def _box(inside: RenderableType) -> Panel:
    return Panel(inside, box=ROUNDED, width=WIDTH, padding=(0, 1))


def _card(body: CardBody) -> Panel:
    parts: list[RenderableType] = []
    if body.media:
        parts.append(_media(body.media))
    if body.title:
        parts.append(Line(say.clean(body.title), style="bold"))
    if body.description:
        parts.append(Line(say.clean(body.description)))
    parts += [Line.assemble(("▸ ", "dim"), say.clean(_said(one))) for one in body.suggestions]
    return _box(Group(*parts))


def _media(media: Media) -> Line:
    """A terminal shows no picture: its height, what it shows or where it is."""
    what = media.description or media.url or f"an uploaded file ({(media.upload or '')[:12]}…)"
    return Line(say.clean(f"▣ {media.height}: {what}"), style="dim")


def _chips(suggestions: tuple[Suggestion, ...]) -> Line:
    return Line("  ".join(f"({say.clean(_said(one))})" for one in suggestions))


def _said(suggestion: Suggestion) -> str:
    """A chip's text, with what it does where that is not an answer."""
    match suggestion:
        case OpenUrl(text=text, url=url):
            return f"{text} → {url}"
        case Dial(text=text, phone=phone):
            return f"{text} ☎ {phone}"
        case _:
            return suggestion.text
