"""The registry: sites, senders, templates, keys and webhooks as documents under one revision.

A document's name within its site: a site's own id (of its desk and its webhook too), a sender's name,
`template@version`, `consumer_key/token`.
"""

from __future__ import annotations

import msgspec

from heliograph.core.desk import SiteDesk
from heliograph.core.ports import Changes
from heliograph.core.site import Key, Sender, Site
from heliograph.core.template import Template
from heliograph.core.webhook import Webhook
from heliograph.store.codec import encode
from heliograph.store.verb import Verb

Document = Site | Sender | Template | Key | SiteDesk | Webhook
_site = msgspec.json.Decoder(Site).decode
_sender = msgspec.json.Decoder(Sender).decode
_template = msgspec.json.Decoder(Template).decode
_key = msgspec.json.Decoder(Key).decode
_webhook = msgspec.json.Decoder(Webhook).decode
_desk = msgspec.json.Decoder(SiteDesk).decode


def place(document: Document) -> tuple[str, str, str]:
    """Site, kind and name."""
    match document:
        case Site(id=id):
            return id, "site", id
        case Sender(site=site, name=name):
            return site, "sender", name
        case Template(site=site, name=name, version=version):
            return site, "template", f"{name}@{version}"
        case Key(site=site, consumer_key=consumer_key, token=token):
            return site, "key", f"{consumer_key}/{token}"
        case Webhook(site=site):
            return site, "webhook", site
        case SiteDesk(site=site):
            return site, "desk", site


def put(document: Document) -> Verb[bool]:
    """False where the same is there already; the revision then stays as it is."""
    body = encode(document)
    return (yield from _write(*place(document), body))


def pause_sender(site: str, name: str, why: str, by: str, now: int) -> Verb[bool]:
    """Changes nothing but `paused`, `by` whom and when, whatever else was applied meanwhile. False where there is no
    such sender, and where heliograph itself (`by` empty) would undo what an operator asked for."""
    rows = yield "document_read", (site, "sender", name)
    if not rows or rows[0][0] is None:
        return False
    there = _sender(rows[0][0])
    if not by and there.paused and there.paused_by:
        return False
    if there.paused == why and there.paused_by == by:
        return False
    return (yield from put(msgspec.structs.replace(there, paused=why, paused_by=by, paused_at=now)))


def remove(kind: str, site: str, name: str) -> Verb[bool]:
    """False where there is no such document."""
    return (yield from _write(site, kind, name, None))


def _write(site: str, kind: str, name: str, body: bytes | None) -> Verb[bool]:
    rows = yield "document_read", (site, kind, name)
    there = rows[0][0] if rows else None
    if there == body:
        return False
    rows = yield "revision_next", ()
    yield "document_put", (site, kind, name, rows[0][0], body)
    return True


def changes(since: int) -> Verb[Changes]:
    rows = yield "revision", ()
    revision: int = rows[0][0]
    if revision == since:
        return Changes(revision=revision)
    sites: list[Site] = []
    senders: list[Sender] = []
    templates: list[Template] = []
    keys: list[Key] = []
    webhooks: list[Webhook] = []
    desks: list[SiteDesk] = []
    removed: list[tuple[str, str, str]] = []
    rows = yield "documents_since", (since,)
    for changed, kind, site, name, body in rows:
        revision = max(revision, changed)
        if body is None:
            removed.append((kind, site, name))
        elif kind == "site":
            sites.append(_site(body))
        elif kind == "sender":
            senders.append(_sender(body))
        elif kind == "template":
            templates.append(_template(body))
        elif kind == "webhook":
            webhooks.append(_webhook(body))
        elif kind == "key":
            keys.append(_key(body))
        elif kind == "desk":
            desks.append(_desk(body))
    return Changes(
        revision=revision,
        sites=tuple(sites),
        senders=tuple(senders),
        templates=tuple(templates),
        keys=tuple(keys),
        webhooks=tuple(webhooks),
        desks=tuple(desks),
        removed=tuple(removed),
    )
