"""Wanted state (site files) against the registry: what differs, and writing it through the store's verbs.

Secrets are compared by what they say, not by how they are sealed, so that applying twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from heliograph.core.desk import SiteDesk
from heliograph.core.ports import Changes, Store
from heliograph.core.site import Sender, Site
from heliograph.core.template import Template
from heliograph.core.webhook import Webhook


class Seals(Protocol):
    """seal.Sealer, as far as this file needs it."""

    def seal(self, text: str) -> str: ...
    def open(self, sealed: str) -> str: ...
    def is_newest(self, sealed: str) -> bool: ...


class Medium(msgspec.Struct, frozen=True, kw_only=True):
    """A media file that templates refer to by its SHA-256 (hex). `name` is the file's, for people."""

    site: str
    digest: str
    content_type: str
    data: bytes
    name: str


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What site files ask for. Senders, desks and webhooks hold their secrets in clear; `secrets` names these fields
    per sender (site, name) and per desk (site, ""), `notes` are the linter's warnings."""

    sites: tuple[Site, ...] = ()
    senders: tuple[Sender, ...] = ()
    templates: tuple[Template, ...] = ()
    desks: tuple[SiteDesk, ...] = ()
    webhooks: tuple[Webhook, ...] = ()
    media: tuple[Medium, ...] = ()
    secrets: Mapping[tuple[str, str], frozenset[str]] = {}
    notes: tuple[str, ...] = ()


class What(StrEnum):
    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REMOVED = "removed"
    KEPT = "kept"  # in the registry and not in the files; removed only when that is asked for


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One document and what becomes of it. `fields` are the paths that differ, in the document's order."""

    kind: str  # site | sender | desk | webhook | template | media
    site: str
    name: str
    what: What
    fields: tuple[str, ...] = ()


Document = Site | Sender | Template | SiteDesk | Webhook


async def apply(
    wanted: Wanted, store: Store | None, seals: Seals, *, dry_run: bool = False, prune: bool = False
) -> list[Change]:
    """Bring the registry to `wanted` and say what changed. Media go first and sites before what belongs to them, so
    that a node which reads in between never finds a template without its picture. `dry_run` writes nothing; without
    a store (a database that is yet to be made) it is always one.

    Documents of a wanted site that are not wanted are `kept`, or `removed` with `prune`. Keys are never touched.
    Raises StoreAway; a repeat finishes what was begun.
    """
    there = await store.changes(0) if store else Changes(revision=0)
    to = None if dry_run else store
    changes: list[Change] = []
    for medium in wanted.media:
        known = store is not None and await store.media(medium.site, medium.digest) is not None
        if to and not known:
            await to.put_media(medium.site, medium.digest, medium.content_type, medium.data)
        what = What.UNCHANGED if known else What.CREATED
        changes.append(Change(kind="media", site=medium.site, name=medium.name, what=what))
    for site in wanted.sites:
        change = compare("site", site.id, site.id, site, _site(there, site.id))
        changes.append(change)
        if to and _writes(change):
            await to.put_site(site)
    for sender in wanted.senders:
        fields = wanted.secrets.get((sender.site, sender.name), frozenset())
        change, sealed = _sender(sender, fields, _sender_there(there, sender), seals)
        changes.append(change)
        if to and _writes(change):
            await to.put_sender(sealed)
    for desk in wanted.desks:
        former = _desk_there(there, desk.site)
        fields = wanted.secrets.get((desk.site, ""), frozenset())
        settings = _sealed(desk.settings, fields, former.settings if former else {}, seals)
        sealed_desk = msgspec.structs.replace(desk, settings=settings)
        change = compare("desk", desk.site, desk.desk, sealed_desk, former)
        changes.append(change)
        if to and _writes(change):
            await to.put_desk(sealed_desk)
    for template in wanted.templates:
        change = compare("template", template.site, label(template), template, _template_there(there, template))
        changes.append(change)
        if to and _writes(change):
            await to.put_template(template)
    for webhook in wanted.webhooks:
        change, sealed_webhook = _webhook(webhook, _webhook_there(there, webhook.site), seals)
        changes.append(change)
        if to and _writes(change):
            await to.put_webhook(sealed_webhook)
    for kind, site_id, name in _left_over(wanted, there):
        changes.append(Change(kind=kind, site=site_id, name=name, what=What.REMOVED if prune else What.KEPT))
        if to and prune:
            await to.remove(kind, site_id, name)
    return changes


def label(template: Template) -> str:
    """How a version of a template is named in the registry: `flightdelay@1`."""
    return f"{template.name}@{template.version}"


def compare(kind: str, site: str, name: str, wanted: Document, there: Document | None) -> Change:
    if there is None:
        return Change(kind=kind, site=site, name=name, what=What.CREATED)
    fields = tuple(differences(msgspec.to_builtins(there), msgspec.to_builtins(wanted)))
    what = What.CHANGED if fields else What.UNCHANGED
    return Change(kind=kind, site=site, name=name, what=what, fields=fields)


def differences(old: Any, new: Any, path: str = "") -> list[str]:
    """The paths at which two plain values differ: `languages.en.rcs.card.title`. Lists of another length differ as a
    whole."""
    if isinstance(old, dict) and isinstance(new, dict):
        names = [*new, *(name for name in old if name not in new)]
        return [
            found
            for name in names
            for found in (
                differences(old[name], new[name], f"{path}.{name}" if path else str(name))
                if name in old and name in new
                else [f"{path}.{name}" if path else str(name)]
            )
        ]
    if isinstance(old, list | tuple) and isinstance(new, list | tuple) and len(old) == len(new):
        return [
            found
            for at, (one, two) in enumerate(zip(old, new, strict=True))
            for found in differences(one, two, f"{path}[{at}]")
        ]
    return [] if old == new else [path]


def _writes(change: Change) -> bool:
    return change.what in (What.CREATED, What.CHANGED)


def _sender(sender: Sender, secret: frozenset[str], there: Sender | None, seals: Seals) -> tuple[Change, Sender]:
    """The change, and the sender as it is to be stored. `paused` belongs to operators, not to the files: it stays.
    A secret that says the same keeps its seal."""
    if there is not None:
        sender = msgspec.structs.replace(
            sender, paused=there.paused, paused_by=there.paused_by, paused_at=there.paused_at
        )
    settings = _sealed(sender.settings, secret, there.settings if there else {}, seals)
    sealed = msgspec.structs.replace(sender, settings=settings)
    return compare("sender", sender.site, sender.name, sealed, there), sealed


def _webhook(webhook: Webhook, there: Webhook | None, seals: Seals) -> tuple[Change, Webhook]:
    """The change, and the webhook as it is to be stored. One that was disabled is posted to again: whoever applies it
    says that it works."""
    former = {seals.open(one): one for one in there.secrets} if there else {}
    secrets = tuple(former.get(clear) or seals.seal(clear) for clear in webhook.secrets)
    sealed = msgspec.structs.replace(webhook, secrets=secrets)
    return compare("webhook", webhook.site, webhook.site, sealed, there), sealed


def _webhook_there(there: Changes, site_id: str) -> Webhook | None:
    return next((webhook for webhook in there.webhooks if webhook.site == site_id), None)


def _sealed(
    clear: Mapping[str, object], secret: frozenset[str], there: Mapping[str, object], seals: Seals
) -> dict[str, object]:
    """Settings with their secrets sealed; one that says the same keeps its seal."""
    settings = dict(clear)
    for name in secret & settings.keys():
        value, former = str(settings[name]), there.get(name)
        if not value:
            continue
        same = isinstance(former, str) and bool(former) and seals.open(former) == value
        settings[name] = former if same else seals.seal(value)
    return settings


def _site(there: Changes, site_id: str) -> Site | None:
    return next((site for site in there.sites if site.id == site_id), None)


def _sender_there(there: Changes, sender: Sender) -> Sender | None:
    return next((one for one in there.senders if (one.site, one.name) == (sender.site, sender.name)), None)


def _desk_there(there: Changes, site: str) -> SiteDesk | None:
    return next((one for one in there.desks if one.site == site), None)


def _template_there(there: Changes, template: Template) -> Template | None:
    return next((one for one in there.templates if (one.site, label(one)) == (template.site, label(template))), None)


def _left_over(wanted: Wanted, there: Changes) -> list[tuple[str, str, str]]:
    sites = {site.id for site in wanted.sites}
    senders = {(sender.site, sender.name) for sender in wanted.senders}
    templates = {(template.site, label(template)) for template in wanted.templates}
    webhooks = {webhook.site for webhook in wanted.webhooks}
    return [
        *(("webhook", one.site, one.site) for one in there.webhooks if one.site in sites and one.site not in webhooks),
        *(
            ("sender", one.site, one.name)
            for one in there.senders
            if one.site in sites and (one.site, one.name) not in senders
        ),
        *(
            ("template", one.site, label(one))
            for one in there.templates
            if one.site in sites and (one.site, label(one)) not in templates
        ),
        *(
            ("desk", one.site, one.site)
            for one in there.desks
            if one.site in sites and one.site not in {desk.site for desk in wanted.desks}
        ),
    ]


def sealed(there: Changes) -> list[str]:
    """Every sealed secret of the registry."""
    keys = [secret for key in there.keys for secret in (key.consumer_secret, key.token_secret) if secret]
    tables = [*(one.settings for one in there.senders), *(one.settings for one in there.desks)]
    values = [value for table in tables for value in table.values()]
    keys += [secret for webhook in there.webhooks for secret in webhook.secrets]
    return keys + [value for value in values if isinstance(value, str) and value.startswith("sealed:")]


async def reseal(store: Store, seals: Seals) -> int:
    """Seal every secret of the registry with the newest secret key; how many documents were written. After it the
    former keys may leave HELIOGRAPH_SECRET_KEY."""
    there = await store.changes(0)
    written = 0
    for key in there.keys:
        fresh = {
            name: seals.seal(seals.open(value))
            for name in ("consumer_secret", "token_secret")
            if (value := getattr(key, name)) and not seals.is_newest(value)
        }
        if fresh:
            written += await store.put_key(msgspec.structs.replace(key, **fresh))
    for sender in there.senders:
        settings = _resealed(sender.settings, seals)
        if settings != sender.settings:
            written += await store.put_sender(msgspec.structs.replace(sender, settings=settings))
    for desk in there.desks:
        settings = _resealed(desk.settings, seals)
        if settings != desk.settings:
            written += await store.put_desk(msgspec.structs.replace(desk, settings=settings))
    for webhook in there.webhooks:
        if any(not seals.is_newest(secret) for secret in webhook.secrets):
            secrets = tuple(seals.seal(seals.open(secret)) for secret in webhook.secrets)
            written += await store.put_webhook(msgspec.structs.replace(webhook, secrets=secrets))
    return written


def _resealed(settings: Mapping[str, object], seals: Seals) -> dict[str, object]:
    return {
        name: seals.seal(seals.open(value)) if isinstance(value, str) and _old_seal(value, seals) else value
        for name, value in settings.items()
    }


def _old_seal(value: str, seals: Seals) -> bool:
    return value.startswith("sealed:") and not seals.is_newest(value)
