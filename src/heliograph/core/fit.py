"""One content, several channels: what a channel does not carry becomes text, by rules that can be read.

    a card            text: its title, its description, the address of its medium
    a carousel        such texts, numbered 1/3, 2/3 …
    a file            text: its address, else its description
    a reply           a numbered line, "2. Rebook"; who answers 2 has tapped it (option.py)
    a link, a number  a line with the suggestion's own words, "Track my bag: https://…"
    a named message   its free form, fitted; else the text that it shows

What cannot be said in text is left out, and that is told too. Nothing here knows a channel by name: all is decided by
what its provider carries (core.channel.Carries).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import msgspec

from heliograph.core.channel import Carries
from heliograph.core.content import (
    Card,
    CardBody,
    Carousel,
    Content,
    File,
    Media,
    Named,
    Reply,
    Suggestion,
    Text,
    suggestions_of,
)
from heliograph.core.written import line_of

_replace = msgspec.structs.replace
_TAGS = {kind: str(kind.__struct_config__.tag) for kind in get_args(Suggestion)}


class Fitted(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """`content` as the channel carries it. `rules`: each rule that was used, a sentence; empty where it fits as it is.
    `lost`: those of them by which something is left out."""

    content: Content
    rules: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


def fit(content: Content, carries: Carries) -> Fitted:
    """`content` for a provider that carries `carries`. The same content is given back where it fits as it is."""
    if _plainly_fits(content, carries):
        return Fitted(content=content)
    fitting = _Fitting(carries)
    fitted = fitting.content(content)
    if not fitting.changed:
        return Fitted(content=content)
    return Fitted(content=fitted, rules=fitting.told(), lost=tuple(dict.fromkeys(fitting.lost)))


def _plainly_fits(content: Content, carries: Carries) -> bool:
    """True for most texts and cards, in a fifth of the time that the whole of it takes (0.6 µs for a card)."""
    if isinstance(content, Text):
        row = content.suggestions
    elif isinstance(content, Card) and carries.cards:
        row = content.card.suggestions + content.suggestions
    elif isinstance(content, Named) and carries.named:
        return content.free is None or _plainly_fits(content.free, carries)
    else:
        return False
    if len(row) > carries.most:
        return False
    kept = carries.suggestions
    for one in row:  # noqa: SIM110  a loop is quicker than a generator
        if _TAGS[type(one)] not in kept:
            return False
    return True


class _Fitting:
    """One content on its way: the rules used so far, and the options numbered so far."""

    def __init__(self, carries: Carries) -> None:
        self.carries = carries
        self.changed = False
        self.single = False  # the content has one suggestion
        self.rules: list[str] = []
        self.lost: list[str] = []
        self.options: list[Reply] = []
        self.written: list[str] = []  # the texts of suggestions that became lines

    def told(self) -> tuple[str, ...]:
        """The rules, each once; those of all suggestions together at the end."""
        rules = list(self.rules)
        if self.options:
            many = len(self.options)
            what = "1 reply is a numbered line" if many == 1 else f"{many} replies are numbered lines"
            rules.append(f"{what}; an answer with the number counts as a tap.")
        if self.written:
            rules.append(f"Written out as lines: {', '.join(self.written)}.")
        return tuple(dict.fromkeys(rules))

    def rule(self, sentence: str) -> None:
        self.changed = True
        self.rules.append(sentence)

    def loses(self, sentence: str) -> None:
        self.rule(sentence)
        self.lost.append(sentence)

    def content(self, content: Content) -> Content:
        self.single = len(suggestions_of(content)) == 1
        match content:
            case Named():
                return self.named(content)
            case Text():
                kept, lines = self.row(content.suggestions)
                return self.text(content, [content.text, *lines], kept)
            case Card() if self.carries.cards:
                return self.card(content)
            case Card(card=body):
                self.rule("The card is sent as text.")
                kept, lines = self.row((*body.suggestions, *content.suggestions))
                return self.text(content, [*self.body(body), *lines], kept)
            case Carousel() if self.carries.carousels:
                return self.carousel(content)
            case Carousel():
                return self.cards_as_text(content)
            case File(media=media):
                return self.file(content, media)

    def named(self, named: Named) -> Content:
        if self.carries.named:
            if named.free is None:
                return named
            free = fit(named.free, self.carries)
            self.changed = bool(free.rules)
            self.rules += [f"In the free form: {rule}" for rule in free.rules]
            self.lost += [f"In the free form: {rule}" for rule in free.lost]
            fitted = free.content
            assert not isinstance(fitted, Named)
            return _replace(named, free=fitted) if free.rules else named
        if named.free is not None:
            self.rule(f"The named message {named.name} is sent in its free form.")
            return self.content(named.free)
        self.rule(f"The named message {named.name} is sent as the text that it shows.")
        kept, lines = self.row(named.suggestions)
        return self.text(named, [named.shown, *lines], kept)

    def text(self, whole: Content, lines: Sequence[str], kept: tuple[Suggestion, ...]) -> Content:
        """The text of `lines`; `whole` itself where it is one already and nothing had to be done."""
        if isinstance(whole, Text) and not self.changed:
            return whole
        text = "\n".join(line for line in lines if line)
        return Text(text=text, suggestions=kept, options=tuple(self.options), native=whole.native)

    def card(self, card: Card) -> Content:
        body = self.card_body(card.card)
        # Without carousels a card has no row of its own: its suggestions and the message's are one row.
        many = 0 if self.carries.carousels else len(body.suggestions)
        kept, lines = self.row(card.suggestions, before=many)
        if not self.changed:
            return card
        return _replace(card, card=_described(body, lines), suggestions=kept, options=tuple(self.options))

    def carousel(self, carousel: Carousel) -> Content:
        bodies = [self.card_body(body) for body in carousel.cards]
        kept, lines = self.row(carousel.suggestions)
        if not self.changed:
            return carousel
        if lines and bodies:  # a carousel has no text but its cards'
            bodies[-1] = _described(bodies[-1], lines)
        return _replace(carousel, cards=tuple(bodies), suggestions=kept, options=tuple(self.options))

    def card_body(self, body: CardBody) -> CardBody:
        kept, lines = self.row(body.suggestions)
        return _described(_replace(body, suggestions=kept), lines) if lines or kept != body.suggestions else body

    def cards_as_text(self, carousel: Carousel) -> Content:
        many = len(carousel.cards)
        self.rule(f"The carousel is sent as text, its cards numbered 1/{many} to {many}/{many}.")
        kept: tuple[Suggestion, ...] = ()
        blocks: list[str] = []
        for number, body in enumerate(carousel.cards, 1):
            more, lines = self.row(body.suggestions, before=len(kept))
            kept += more
            said = [line for line in (*self.body(body), *lines) if line]
            blocks.append("\n".join([f"{number}/{many} {said[0]}", *said[1:]]) if said else f"{number}/{many}")
        more, lines = self.row(carousel.suggestions, before=len(kept))
        return self.text(carousel, [*blocks, *lines], kept + more)

    def file(self, file: File, media: Media) -> Content:
        fits = len(file.suggestions) <= self.carries.most and all(map(self.carried, file.suggestions))
        if self.carries.files and fits:
            return file
        said = media.url or media.description
        if media.url:
            self.rule("The file is sent as its address.")
        else:
            self.loses(f"The file is left out{', its description stands for it' if said else ''}: it has no address.")
        kept, lines = self.row(file.suggestions)
        return self.text(file, [said, *lines], kept)

    def body(self, body: CardBody) -> list[str]:
        """A card's lines: title, description, the address of its medium."""
        lines = [body.title, body.description]
        if body.media is not None and body.media.url:
            lines.append(body.media.url)
            self.rule("The card's medium is sent as its address.")
        elif body.media is not None:
            if not (body.title or body.description):
                lines.append(body.media.description)
            self.loses("The card's medium is left out: it has no address.")
        return lines

    def row(self, suggestions: tuple[Suggestion, ...], *, before: int = 0) -> tuple[tuple[Suggestion, ...], list[str]]:
        """What of a row is shown as such (`before`: so many of it are there already), and the rest in lines."""
        kept: list[Suggestion] = []
        lines: list[str] = []
        for one in suggestions:
            if self.carried(one) and before + len(kept) < self.carries.most:
                kept.append(one)
                continue
            self.changed = True
            if isinstance(one, Reply):
                self.options.append(one)
                lines.append(f"{len(self.options)}. {one.text}")
            elif line := line_of(one):
                self.written.append(one.text)
                lines.append(line)
            else:
                self.loses(f"{one.text} is left out: text cannot say it.")
        return (suggestions, []) if len(kept) == len(suggestions) else (tuple(kept), lines)

    def carried(self, suggestion: Suggestion) -> bool:
        tag = _TAGS[type(suggestion)]
        return tag in self.carries.suggestions or (self.single and tag in self.carries.alone)


def _described(body: CardBody, lines: Sequence[str]) -> CardBody:
    """The card with `lines` under its description."""
    if not lines:
        return body
    return _replace(body, description="\n".join(line for line in (body.description, *lines) if line))
