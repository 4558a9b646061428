"""A template's TOML file → core Template: sections per language and channel, chips as `{ reply = "Yes" }`."""

from __future__ import annotations

import hashlib
import mimetypes
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from heliograph.core.content import (
    CalendarEvent,
    Card,
    CardBody,
    Carousel,
    Content,
    Dial,
    File,
    Media,
    OpenUrl,
    Reply,
    ShareLocation,
    Suggestion,
    Text,
    ViewLocation,
)
from heliograph.core.template import Template, Variable
from heliograph.flow.manage import Medium
from heliograph.settings import close
from heliograph.sitefiles import fallback, named
from heliograph.sitefiles.toml import Document, Section

# The key that names a chip's kind holds its text: { reply = "Yes", postback = "yes" }.
KINDS: dict[str, type[Suggestion]] = {
    "reply": Reply,
    "open_url": OpenUrl,
    "dial": Dial,
    "view_location": ViewLocation,
    "calendar_event": CalendarEvent,
    "share_location": ShareLocation,
}
_CARD_KEYS = ("title", "description", "media", "suggestions")
_LARGEST = 16 * 1024 * 1024  # bytes of one media file in the database; larger ones are better given by URL
# By their first bytes, since a name may lie and phones believe the type alone.
_MAGIC = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"%PDF-": "application/pdf",
}

Keep = Callable[[Medium], None]


def read(document: Document, site: str, keep: Keep) -> Template | None:
    """The template in `document`; None where it has faults, which are noted there. `keep` takes its media files."""
    languages: dict[str, dict[str, Content]] = {}
    for language in document.section("languages").table:
        section = document.section("languages").section(language)
        languages[language] = {
            channel: content
            for channel in section.table
            if (content := _content(section.section(channel), site, keep)) is not None
        }
    if not languages:
        document.fault('A template needs a section per language and channel, as in [languages.en.rcs] text = "Hello".')
    given = {
        "site": site,
        "languages": languages,
        "variables": _variables(document.section("variables")),
        "fallback": fallback.read(document.section("fallback")),
    }
    return document.struct(Template, "A template", given=given, own=("site",))


def _variables(section: Section) -> tuple[Variable, ...]:
    """`Gate = "C35"` is a variable with that example; `Gate = { example = "C35", default = "?" }` says more."""
    found = []
    for name, value in section.table.items():
        if isinstance(value, str):
            found.append(Variable(name=name.removeprefix("@"), example=value))
            continue
        given = {"name": name.removeprefix("@")}
        if isinstance(value, dict) and "default" in value:
            given["required"] = value.get("required", False)
        variable = section.section(name).struct(Variable, f"The variable {name}", given=given)
        if variable is not None:
            found.append(variable)
    return tuple(found)


def _content(section: Section, site: str, keep: Keep) -> Content | None:
    table = section.table
    if "options" in table:
        section.fault(
            "options are made, not written: give suggestions; a channel without them numbers them.", "options"
        )
        return None
    native = {
        provider: msgspec.Raw(msgspec.json.encode(value)) for provider, value in section.section("native").table.items()
    }
    if "template" in table:
        return named.read(
            section, native, lambda inner: _content(inner, site, keep), lambda inner: _media(inner, site, keep)
        )
    if "cards" in table:
        cards = tuple(card for one in section.sections("cards") if (card := _card(one, site, keep)) is not None)
        return section.struct(
            Carousel,
            "A carousel",
            given={"cards": cards, "suggestions": _suggestions(section, "chips"), "native": native},
            own=("cards", "chips", "native"),
        )
    if "text" in table:
        given: dict[str, Any] = {"suggestions": _suggestions(section, "suggestions"), "native": native}
        return section.struct(Text, "A text", given=given)
    if any(key in table for key in _CARD_KEYS[:3]):
        body = _card(Section(section.document, section.keys, _only(section, _CARD_KEYS)), site, keep)
        given = {"card": body, "suggestions": _suggestions(section, "chips"), "native": native}
        whole = section.struct(Card, "A card", given=given, own=(*_CARD_KEYS, "chips"))
        return whole if body is not None else None
    if "file" in table or "url" in table:
        media = _media(Section(section.document, section.keys, _only(section, _MEDIA_KEYS)), site, keep)
        given = {"media": media, "suggestions": _suggestions(section, "suggestions"), "native": native}
        file = section.struct(File, "A file", given=given, own=_MEDIA_KEYS)
        return file if media is not None else None
    section.fault(
        "says nothing: give it text, or title, description or media (a card), or cards (a carousel), or file, or "
        "template (a message that the provider keeps)."
    )
    return None


_MEDIA_KEYS = ("file", "url", "thumbnail_url", "height", "description")


def _only(section: Section, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in section.table.items() if name in names}


def _card(section: Section, site: str, keep: Keep) -> CardBody | None:
    given: dict[str, Any] = {"suggestions": _suggestions(section, "suggestions")}
    if "media" in section.table:
        given["media"] = _media(section.section("media"), site, keep)
        if given["media"] is None:
            return None
    return section.struct(CardBody, "A card", given=given)


def _suggestions(section: Section, name: str) -> tuple[Suggestion, ...]:
    found = []
    for one in section.sections(name):
        kinds = [kind for kind in KINDS if kind in one.table]
        if len(kinds) != 1:
            said = ", ".join(one.table) or "nothing"
            hint = close(next(iter(one.table), ""), list(KINDS))
            one.fault(f'A suggestion names one kind, as in {{ reply = "Yes" }}; this one has {said}.{hint}')
            continue
        kind = kinds[0]
        fields = {key: value for key, value in one.table.items() if key != kind}
        inner = Section(one.document, one.keys, fields)
        suggestion = inner.struct(KINDS[kind], f"A suggestion of kind {kind}", given={"text": one.text(kind)})
        if suggestion is not None:
            found.append(suggestion)
    return tuple(found)


def _media(section: Section, site: str, keep: Keep) -> Media | None:
    """A medium by `url`, or by `file`: a path from the template's own folder, kept in the store by its SHA-256."""
    fields = {key: value for key, value in section.table.items() if key != "file"}
    inner = Section(section.document, section.keys, fields)
    section.known(_MEDIA_KEYS, "A medium")
    if ("file" in section.table) == ("url" in section.table):
        section.fault("A medium has either file (a path) or url.")
        return None
    if "url" in section.table:
        return inner.struct(Media, "A medium")
    path = section.document.path.parent / section.text("file")
    try:
        size = path.stat().st_size
        if not 0 < size <= _LARGEST:
            section.fault(
                f"file {path.name} is {size} bytes, 1 to {_LARGEST} can be kept; give a larger one by url.", "file"
            )
            return None
        data = path.read_bytes()
    except OSError as error:
        section.fault(f"file {path} cannot be read: {error.strerror}. Paths start at the template's folder.", "file")
        return None
    content_type = _type(path, data)
    if content_type is None:
        section.fault(f"file {path.name} is of no known type. Phones show JPEG, PNG, GIF, MP4, WebM and PDF.", "file")
        return None
    digest = hashlib.sha256(data).hexdigest()
    keep(Medium(site=site, digest=digest, content_type=content_type, data=data, name=path.name))
    return inner.struct(Media, "A medium", given={"upload": digest})


def _type(path: Path, data: bytes) -> str | None:
    for magic, content_type in _MAGIC.items():
        if data.startswith(magic):
            return content_type
    guessed = mimetypes.guess_type(path.name)[0]
    # A picture's or document's type is told by its bytes alone; films and sounds have too many forms.
    return guessed if guessed and guessed.split("/")[0] in ("video", "audio") else None
