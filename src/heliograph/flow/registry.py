"""The registry in memory: sites, keys, templates, webhooks and open senders, refreshed as soon as any process changes
them.

A reader sees plain dictionaries; `refresh` swaps what changed. The store gives only what is newer than the revision
we have, so a refresh costs one small query while nothing changes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from hashlib import blake2b

import msgspec

from heliograph.core.alert import Attempt
from heliograph.core.channel import Carries
from heliograph.core.desk import SiteDesk
from heliograph.core.ports import Changes, Desk, Plug, Provider, Store
from heliograph.core.site import Key, Sender, Site
from heliograph.core.template import CompiledTemplate
from heliograph.core.template import compile as compile_template
from heliograph.core.webhook import NOTHING, Webhook

LEFT_SANDBOX = "The alert is a test key's, and its sender no longer speaks to the sandbox alone. Nothing was sent."


class OpenKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key with its secrets unsealed."""

    key: Key
    consumer_secret: str
    token_secret: str


class OpenSender(msgspec.Struct, frozen=True, kw_only=True):
    """A sender with its provider opened. `provider` is None while it cannot be opened (`plug` too where it is not
    installed); `fault` then says why. What is learned through it (capabilities, names of uploads) is kept under
    `known_as`, so that another agent or region under the same name begins anew. `sandbox`: it can speak to the sandbox
    alone (out/fence.py), so that test keys may use it."""

    sender: Sender
    plug: Plug | None
    provider: Provider | None
    fault: str = ""
    sandbox: bool = False

    @property
    def known_as(self) -> str:
        return self.sender.name + self.mark

    @property
    def carries(self) -> Carries:
        """What this sender's messages can be: its module's word, unless its settings make it more or less."""
        assert self.plug is not None
        own: Carries | None = getattr(self.provider, "carries", None)
        return own or self.plug.CARRIES

    mark: str = ""


class OpenWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook with its secrets unsealed. `fault`: why they cannot be; then nothing is posted."""

    webhook: Webhook
    secrets: tuple[str, ...]
    fault: str = ""


class OpenDesk(msgspec.Struct, frozen=True, kw_only=True):
    """A site's desk, opened. `keeps`: the conversation is already where its agents look. `desk` is None there, and
    while it cannot be opened; `fault` then says why. `framed`: the origins that may frame our context page. `sandbox`:
    it can speak to the sandbox alone, so that conversations of test alerts may go there."""

    setup: SiteDesk
    desk: Desk | None = None
    keeps: bool = False
    fault: str = ""
    framed: tuple[str, ...] = ()
    sandbox: bool = False


class Registry:
    def __init__(
        self,
        *,
        open_key: Callable[[Key], OpenKey | None],
        open_sender: Callable[[Sender], OpenSender],
        open_desk: Callable[[SiteDesk], OpenDesk] | None = None,
        closed: Callable[[Provider | Desk], None],
        switched: Callable[[Sender, bool], None] | None = None,
        open_webhook: Callable[[Webhook], OpenWebhook] | None = None,
        webhook_changed: Callable[[str], None] | None = None,
    ) -> None:
        """`open_desk` opens a site's desk; without it every site has the console. `open_key` unseals (None where it
        cannot: the key is then unknown), `open_sender` opens a provider, `closed` is told of a provider that is no
        longer used (it may still have calls under way), `switched` of a sender that was paused or resumed (False), or
        opened anew with other settings (True). `open_webhook` unseals (a command posts nothing and has none),
        `webhook_changed` is told of the site."""
        self._open_webhook = open_webhook
        self._webhook_changed = webhook_changed
        self._webhooks: dict[str, OpenWebhook] = {}
        self._tells: dict[str, frozenset[str]] = {}
        self._switched = switched
        self._open_key = open_key
        self._open_sender = open_sender
        self._open_desk = open_desk
        self._desks: dict[str, OpenDesk] = {}
        self._closed = closed
        self.revision = 0
        self._sites: dict[str, Site] = {}
        self._keys: dict[str, tuple[OpenKey, ...]] = {}
        self._signers: dict[str, tuple[OpenKey, ...]] = {}  # of them those that sign
        self._templates: dict[tuple[str, str], tuple[CompiledTemplate, ...]] = {}
        self._senders: dict[tuple[str, str], OpenSender] = {}
        self._by_channel: dict[tuple[str, str], tuple[OpenSender, ...]] = {}

    def site(self, site: str) -> Site | None:
        return self._sites.get(site)

    def sites(self) -> list[Site]:
        """All of them, by id."""
        return [self._sites[id] for id in sorted(self._sites)]

    def key(self, consumer_key: str) -> tuple[OpenKey, ...]:
        """The keys that share this consumer key: one per token. A bearer key signs nothing and is none of them."""
        return self._signers.get(consumer_key, ())

    def bearer(self, name: str) -> Key | None:
        """The bearer key of this public name (`hg_live_…`)."""
        return next((opened.key for opened in self._keys.get(name, ()) if opened.key.digest), None)

    def template(self, site: str, name: str) -> tuple[CompiledTemplate, ...]:
        """All versions, the newest last."""
        return self._templates.get((site, name), ())

    def template_names(self, site: str) -> list[str]:
        return sorted(name for (owner, name), versions in self._templates.items() if owner == site and versions)

    def sender(self, site: str, name: str) -> OpenSender | None:
        return self._senders.get((site, name))

    def sender_of(self, attempt: Attempt) -> OpenSender | None:
        """The attempt's sender as it may be spoken to about it. Where a test key's attempt went by it and it was given
        a real provider's address since, it has no provider: nothing is repeated, asked for or revoked."""
        opened = self.sender(attempt.site, attempt.sender)
        if opened is not None and attempt.test and not opened.sandbox:
            return msgspec.structs.replace(opened, provider=None, fault=LEFT_SANDBOX)
        return opened

    def desk(self, site: str) -> OpenDesk:
        """A site's desk; the console where it names none."""
        return self._desks.get(site) or OpenDesk(setup=SiteDesk(site=site), keeps=True)

    def all_desks(self) -> Iterable[OpenDesk]:
        return self._desks.values()

    def senders(self, site: str, channel: str) -> tuple[OpenSender, ...]:
        return self._by_channel.get((site, channel), ())

    def webhook(self, site: str) -> OpenWebhook | None:
        return self._webhooks.get(site)

    def tells(self, site: str) -> frozenset[str]:
        """The types of events that the site's brand is told of; none where it has no webhook."""
        return self._tells.get(site, NOTHING)

    def webhook_sites(self) -> tuple[str, ...]:
        return tuple(sorted(self._webhooks))

    def all_senders(self) -> Iterable[OpenSender]:
        return self._senders.values()

    async def refresh(self, store: Store) -> bool:
        """Takes over what changed since the last time. True if anything did."""
        changes = await store.changes(self.revision)
        if changes.revision == self.revision:
            return False
        self.take(changes)
        return True

    def take(self, changes: Changes) -> None:
        for kind, site, name in changes.removed:
            self._remove(kind, site, name)
        for site_document in changes.sites:
            self._sites[site_document.id] = site_document
        for template in changes.templates:
            place = (template.site, template.name)
            others = [c for c in self._templates.get(place, ()) if c.template.version != template.version]
            self._templates[place] = (*others, compile_template(template))
        for key in changes.keys:
            kept = [k for k in self._keys.get(key.consumer_key, ()) if k.key.token != key.token]
            opened = self._open_key(key)
            self._put_keys(key.consumer_key, (*kept, opened) if opened else tuple(kept))
        for sender in changes.senders:
            self._put_sender(sender)
        for webhook in changes.webhooks:
            opens = self._open_webhook
            shut = OpenWebhook(webhook=webhook, secrets=(), fault="not opened here")
            self._webhooks[webhook.site] = opens(webhook) if opens else shut
            self._tells[webhook.site] = webhook.tells
            if self._webhook_changed:
                self._webhook_changed(webhook.site)
        for desk in changes.desks:
            self._put_desk(desk)
        self.revision = changes.revision

    def _put_desk(self, setup: SiteDesk) -> None:
        old = self._desks.get(setup.site)
        if self._open_desk is None or (old and old.setup == setup):
            return
        self._desks[setup.site] = self._open_desk(setup)
        if old and old.desk:
            self._closed(old.desk)

    def _put_keys(self, name: str, keys: tuple[OpenKey, ...]) -> None:
        self._keys[name] = keys
        self._signers[name] = tuple(opened for opened in keys if not opened.key.digest)

    def _put_sender(self, sender: Sender) -> None:
        place = (sender.site, sender.name)
        old = self._senders.get(place)
        if old and _apart(old.sender) == _apart(sender):
            # Only paused, resumed or weighed anew: its connections and tokens stay.
            new = msgspec.structs.replace(old, sender=sender)
            if self._switched and (old.sender.paused, old.sender.paused_at) != (sender.paused, sender.paused_at):
                self._switched(sender, False)
        else:
            new = msgspec.structs.replace(self._open_sender(sender), mark=_mark(sender))
            if old and old.provider:
                self._closed(old.provider)
            if old and self._switched:
                self._switched(sender, True)
        self._senders[place] = new
        self._index(sender.site)

    def _remove(self, kind: str, site: str, name: str) -> None:
        if kind == "site":
            self._sites.pop(site, None)
        elif kind == "template":
            template, _, version = name.rpartition("@")
            place = (site, template)
            self._templates[place] = tuple(c for c in self._templates.get(place, ()) if c.template.version != version)
        elif kind == "key":
            consumer_key, _, token = name.partition("/")
            self._put_keys(consumer_key, tuple(k for k in self._keys.get(consumer_key, ()) if k.key.token != token))
        elif kind == "webhook":
            self._webhooks.pop(site, None)
            self._tells.pop(site, None)
        elif kind == "desk":
            gone = self._desks.pop(site, None)
            if gone and gone.desk:
                self._closed(gone.desk)
        elif kind == "sender":
            old = self._senders.pop((site, name), None)
            if old and old.provider:
                self._closed(old.provider)
            self._index(site)

    def _index(self, site: str) -> None:
        channels: dict[str, list[OpenSender]] = {}
        for (owner, _), opened in self._senders.items():
            if owner == site:
                channels.setdefault(opened.sender.channel, []).append(opened)
        for place in [place for place in self._by_channel if place[0] == site]:
            del self._by_channel[place]
        for channel, opened_senders in channels.items():
            ordered = sorted(opened_senders, key=lambda o: (-o.sender.weight, o.sender.name))
            self._by_channel[site, channel] = tuple(ordered)


def _apart(sender: Sender) -> Sender:
    """All of it that a connection depends on."""
    return msgspec.structs.replace(sender, paused="", paused_by="", paused_at=0, weight=1)


def _mark(sender: Sender) -> str:
    """Differs where the settings differ."""
    told = repr((sender.channel, sender.provider, sorted(sender.settings.items()))).encode()
    return f"#{blake2b(told, digest_size=6).hexdigest()}"


async def watch(
    registry: Registry,
    store: Store,
    *,
    every: float,
    failed: Callable[[Exception], None],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Refreshes for ever, every `every` seconds. What goes wrong is told to `failed`, and it is tried again after ten
    times as long: a document that this version cannot read must not stop a server that works."""
    while True:
        await sleep(every)
        try:
            await registry.refresh(store)
        except Exception as error:  # noqa: BLE001  see above
            failed(error)
            await sleep(every * 10)
