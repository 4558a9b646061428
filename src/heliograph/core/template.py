"""A template: what an alert says, per language and channel, with `@Name` variables.

(The rules for rendering and checking stand below the nouns.)
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from heliograph.core.content import Content


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
