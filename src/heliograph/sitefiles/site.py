"""Site files: a folder with site.toml and templates/*.toml → what the registry is wanted to be.

acme-air/
  site.toml          [site], one [[sender]] per identity at a provider, its [desk], its [webhook], [team] of those whom
                     team keys may send to, [opt_outs] how keywords are answered
  templates/*.toml   one version of a template each
  media/             pictures that the templates name
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from heliograph.core import language, phone
from heliograph.core.channel import SYNONYMS
from heliograph.core.desk import SiteDesk
from heliograph.core.fallback import unwise
from heliograph.core.lint import Level, lint
from heliograph.core.ports import DeskPlug, Plug
from heliograph.core.site import DEFAULT_PRICE, Canned, Prices, Sender, Site, Team
from heliograph.core.template import Template
from heliograph.core.webhook import Webhook
from heliograph.errors import SetupError
from heliograph.flow.manage import Medium, Wanted, label
from heliograph.settings import close
from heliograph.sitefiles import fallback, opt_outs, template, webhook
from heliograph.sitefiles.toml import Document, Faults, Keys, Section

Plugs = Mapping[tuple[str, str], Plug]  # (channel, provider) → its module
Desks = Mapping[str, DeskPlug]  # a desk's name → its package

_SENDER_KEYS = ("name", "channel", "provider", "weight")


def read(
    path: Path,
    environ: Mapping[str, str],
    plugs: Plugs,
    desks: Mapping[str, DeskPlug] = {},
    *,
    templates_only: bool = False,
) -> Wanted:
    """What `path` asks for: a site's folder, a folder of such folders, a site.toml, or one template's file.

    Templates are linted; warnings are in `notes`. `templates_only` leaves out sites and senders, and so needs none of
    the secrets that the environment gives them. Raises SetupError with every fault of every file at once; then
    nothing may be changed.
    """
    reading = _read(Path(path), environ, plugs, templates_only, desks)
    reading.faults.raise_any(str(path))
    return reading.wanted()


def inspect(path: Path, environ: Mapping[str, str], plugs: Plugs) -> tuple[Wanted, tuple[str, ...]]:
    """The templates of `path` that could be read, and every fault of its files. Raises SetupError where there is
    nothing to read."""
    reading = _read(Path(path), environ, plugs, templates_only=True)
    return reading.wanted(), tuple(reading.faults.sentences)


def _read(
    path: Path, environ: Mapping[str, str], plugs: Plugs, templates_only: bool, desks: Mapping[str, DeskPlug] = {}
) -> _Reading:
    if not path.exists():
        raise SetupError(
            f"{path} is not there. Name a folder with site.toml, or one file (an example: examples/acme-air).",
            code="no_such_path",
        )
    reading = _Reading(environ, plugs, templates_only, desks)
    if path.is_file():
        reading.file(path)
    elif (path / "site.toml").is_file():
        reading.folder(path)
    else:
        folders = sorted(one.parent for one in path.glob("*/site.toml"))
        if not folders:
            raise SetupError(
                f"{path} has no site.toml, and none of its folders has one. Start from examples/acme-air/site.toml.",
                code="no_site_file",
            )
        for folder in folders:
            reading.folder(folder)
    return reading


class _Reading:
    """One reading of one path: what was found so far, and the faults."""

    def __init__(self, environ: Mapping[str, str], plugs: Plugs, templates_only: bool, desks: Desks) -> None:
        self.environ = environ
        self.templates_only = templates_only
        self.plugs = plugs
        self.desk_plugs = desks
        self.faults = Faults()
        self.notes = Faults()
        self.sites: dict[str, Site] = {}
        self.senders: dict[tuple[str, str], Sender] = {}
        self.templates: dict[tuple[str, str], Template] = {}
        self.webhooks: dict[str, Webhook] = {}
        self.media: dict[tuple[str, str], Medium] = {}
        self.desks: dict[str, SiteDesk] = {}
        self.secrets: dict[tuple[str, str], frozenset[str]] = {}

    def wanted(self) -> Wanted:
        return Wanted(
            sites=tuple(self.sites.values()),
            senders=tuple(self.senders.values()),
            templates=tuple(self.templates.values()),
            desks=tuple(self.desks.values()),
            webhooks=tuple(self.webhooks.values()),
            media=tuple(self.media.values()),
            secrets=self.secrets,
            notes=tuple(self.notes.sentences),
        )

    def folder(self, folder: Path) -> None:
        site = self.site_file(folder / "site.toml")
        templates = sorted((folder / "templates").glob("*.toml"))
        for path in templates:
            self.template_file(self.document(path), site)

    def file(self, path: Path) -> None:
        document = self.document(path)
        if "site" in document.table and isinstance(document.table["site"], dict):
            self.site_file(path)
        else:
            self.template_file(document, None)

    def document(self, path: Path) -> Document:
        return Document(path, self.environ, self.faults)

    def site_file(self, path: Path) -> Site | None:
        # Without senders nobody needs their ${NAME}s: what is missing there goes unheard.
        document = Document(path, self.environ, Faults()) if self.templates_only else self.document(path)
        document.known(("site", "sender", "desk", "webhook", "prices", "team", "opt_outs", "canned"), "A site's file")
        if not document.table:
            return None  # its fault is noted
        given: dict[str, Any] = {
            "prices": self.prices(document.section("prices")),
            "team": self.team(document.section("team")),
            "canned": self.canned(document),
        }
        section = document.section("site")
        if "prices" in section.table:
            document.fault("Prices stand beside the site, not in it: [prices.sms].", "site", "prices")
        if "team" in section.table:
            document.fault("The team stands beside the site, not in it: [team].", "site", "team")
        if "canned" in section.table:
            document.fault("Canned answers stand beside the site, not in it: [[canned]].", "site", "canned")
        if "opt_outs" in section.table:
            document.fault("Opt-outs stand beside the site, not in it: [opt_outs].", "site", "opt_outs")
        given["opt_outs"] = opt_outs.read(document.section("opt_outs"), section.text("name"), self.notes)
        channels = {channel for channel, _ in self.plugs}
        given["fallback"] = fallback.read(section.section("fallback"), channels)
        for place, sentence in unwise(given["fallback"]):
            section.fault(sentence, *place.split("."), into=self.notes)
        site = section.struct(Site, "A site", given=given)
        if site is not None:
            if self.templates_only:
                return site
            if site.id in self.sites:
                document.fault(f"The site {site.id} is described in two files; keep one.", "site", "id")
            self.sites[site.id] = site
        if "webhook" in document.table and not self.templates_only:
            hook = webhook.read(document.section("webhook"), site.id if site else "", self.notes)
            if hook is not None:
                self.webhooks[hook.site] = hook
        for section in [] if self.templates_only else document.sections("sender"):
            self.sender(section, site or Site(id=""))
        if "desk" in document.table and not self.templates_only:
            self.desk(document.section("desk"), site or Site(id=""))
        return site

    def team(self, section: Section) -> Team:
        """Each recipient as it is compared: in E.164."""
        team = section.struct(Team, "A team")
        if team is None:
            return Team()
        numbers = [phone.international(number) for number in team.recipients]
        for at, number in enumerate(numbers, 1):
            if isinstance(number, phone.PhoneFault):
                section.fault(f"recipient {at}: {number.sentence}", "recipients")
        return Team(recipients=tuple(number for number in numbers if isinstance(number, str)))

    def canned(self, document: Document) -> tuple[Canned, ...]:
        """[[canned]] title = "…", text = "…", and language = "es" where it is for that one alone."""
        found: list[Canned] = []
        for section in document.sections("canned"):
            one = section.struct(Canned, "A canned answer")
            if one is None:
                continue
            title, text = one.title.strip(), one.text.strip()
            if not title or not text:
                section.fault("A canned answer needs a title and a text.", "title" if not title else "text")
            known = language.read(one.language) if one.language else ""
            if known is None:
                section.fault(language.unknown(one.language), "language")
            elif any((one.title, one.language) == (title, known) for one in found):
                section.fault(f'"{title}" is there twice for the same language; keep one.', "title")
            else:
                found.append(Canned(title=title, text=text, language=known))
        return tuple(found)

    def prices(self, section: Section) -> Prices:
        """[prices] currency = "USD", and for each channel [prices.sms] "+1" = 0.0079, default = 0.05."""
        installed = sorted({channel for channel, _ in self.plugs} | {*SYNONYMS.values()})
        section.known(("currency", *installed), "The price table")
        currency = section.text("currency", Prices().currency)
        if not re.fullmatch(r"[A-Z]{3}", currency):
            section.fault(f'currency is "{currency}"; write its three letters, as in "USD".', "currency")
        channels: dict[str, dict[str, Decimal]] = {}
        for channel in (name for name in section.table if name in installed):
            table = section.section(channel)
            channels[channel] = {}
            for start, price in table.table.items():
                if start != DEFAULT_PRICE and not re.fullmatch(r"\+\d{1,15}", start):
                    table.fault(f'{start} is no beginning of a number; write "+1", or default for all others.', start)
                elif isinstance(price, bool) or not isinstance(price, int | float) or not 0 <= price < 1e6:
                    table.fault(f"{start} is {price!r}; a price is a number, as in 0.0079.", start)
                else:
                    channels[channel][start] = Decimal(repr(price))
        return Prices(currency=currency, channels=channels)

    def sender(self, section: Section, site: Site) -> None:
        """`when = "${NAME:-}"` leaves a sender out while it is empty, so that one file serves where it is not used."""
        section.known((*_SENDER_KEYS, "settings", "when"), "A sender")
        name, channel, provider = (section.text(key) for key in _SENDER_KEYS[:3])
        if "when" in section.table and not section.text("when"):
            section.fault(f"The sender {name} is left out, since `when` is empty.", "when", into=self.notes)
            return
        plug = self.plugs.get((channel, provider))
        if plug is None:
            self._no_plug(section, channel, provider)
            return
        if (site.id, name) in self.senders:
            section.fault(f"The sender {name} is there twice.", "name")
        settings = self.settings(section.section("settings"), plug, provider)
        given = {"site": site.id, "settings": settings or {}}
        sender = section.struct(Sender, "A sender", given=given, own=("when",))
        if sender is not None and settings is not None:
            self.senders[site.id, name] = sender
            self.secrets[site.id, name] = frozenset(plug.SECRETS) & settings.keys()

    def desk(self, section: Section, site: Site) -> None:
        """[desk] kind = "liveperson" and [desk.settings]; `when` leaves it out while it is empty."""
        section.known(("kind", "settings", "when"), "A desk")
        kind = section.text("kind")
        if "when" in section.table and not section.text("when"):
            section.fault(f"The desk {kind} is left out, since `when` is empty.", "when", into=self.notes)
            return
        plug = self.desk_plugs.get(kind)
        if plug is None:
            known = sorted(self.desk_plugs)
            if not kind:
                section.fault(f"A desk needs kind. There is: {', '.join(known)}.")
                return
            section.fault(f'desk "{kind}" is not installed.{close(kind, known)} There is: {", ".join(known)}.', "kind")
            return
        settings = self.settings(section.section("settings"), plug, kind)
        if settings is None:
            return
        self.desks[site.id] = SiteDesk(
            site=site.id, desk=kind, settings=settings, one_per_recipient=plug.ONE_PER_RECIPIENT
        )
        self.secrets[site.id, ""] = frozenset(plug.SECRETS) & settings.keys()

    def _no_plug(self, section: Section, channel: str, provider: str) -> None:
        channels = sorted({one for one, _ in self.plugs})
        providers = sorted(two for one, two in self.plugs if one == channel)
        if not providers:
            section.fault(
                f'channel "{channel}" is not installed.{close(channel, channels)} There is: {", ".join(channels)}.',
                "channel",
            )
        else:
            section.fault(
                f'provider "{provider}" is not one of {channel}.{close(provider, providers)} '
                f"There is: {', '.join(providers)}.",
                "provider",
            )

    def settings(self, section: Section, plug: Plug | DeskPlug, provider: str) -> dict[str, object] | None:
        """The provider's settings as given. `<field>_file = "path"` gives `<field>` that file's text."""
        fields = {field.encode_name for field in msgspec.structs.fields(plug.Settings)}
        given: dict[str, Any] = {}
        table = dict(section.table)
        sound = True
        for name in list(table):
            field = name.removesuffix("_file")
            if field == name or field not in fields:
                continue
            text = self._text_of(section, name)
            del table[name]
            given[field] = text or ""
            sound = sound and text is not None
        if any(keys[: len(section.keys)] == section.keys for keys in section.document.unfilled):
            return None  # what is noted already would be told once more as an empty value
        inner = Section(section.document, section.keys, table)
        what = f"A sender of {provider}" if provider not in self.desk_plugs else f"The desk {provider}"
        whole = inner.struct(plug.Settings, what, given=given)
        if whole is None or not sound:
            return None
        plain = msgspec.to_builtins(whole)
        return {name: plain[name] for name in (*table, *given)}

    def _text_of(self, section: Section, name: str) -> str | None:
        """The text of the file that `name` gives; a path from the site's folder."""
        said = section.text(name)
        if not said:
            return None  # a fault of ${NAME} was noted already, or the value is empty
        path = section.document.path.parent / Path(said).expanduser()
        try:
            return path.read_text("utf-8")
        except OSError as error:
            section.fault(f"{name}: {path} cannot be read: {error.strerror}.", name)
        except UnicodeDecodeError:
            section.fault(f"{name}: {path} is not a text file.", name)
        return None

    def template_file(self, document: Document, site: Site | None) -> None:
        if not document.table:
            return  # its fault is noted
        named = document.text("site") or (site.id if site else "")
        if not named:
            beside = [folder / "site.toml" for folder in (document.path.parent, document.path.parent.parent)]
            if found := next((path for path in beside if path.is_file()), None):
                quiet = Document(found, self.environ, Faults())
                named = quiet.section("site").text("id")
        if not named:
            document.fault('No site: write site = "…", or put the file into the templates folder of a site.')
            return
        before = len(self.faults.sentences)
        one = template.read(document, named, self._keep)
        if one is None or len(self.faults.sentences) > before:
            return
        place = (named, label(one))
        if place in self.templates:
            document.fault(f"Version {one.version} of {one.name} is in another file too.", "version")
        self.templates[place] = one
        for finding in lint(one, self._carriers(site, one)):
            into = self.faults if finding.level is Level.ERROR else self.notes
            document.fault(f"{finding.place}: {finding.sentence}", *_keys(finding.place), into=into)

    def _carriers(self, site: Site | None, template: Template) -> dict[str, list[Plug]]:
        """Who carries a template's channels: the providers of the site's senders, all of a channel's where it has none.
        Without senders the site's order says which channels count."""
        used = {(one.channel, one.provider) for one in self.senders.values() if one.site == template.site}
        own = {channel for contents in template.languages.values() for channel in contents}
        wanted = own | ({channel for channel, _ in used} or set(site.channels if site else (c for c, _ in self.plugs)))
        return {
            channel: [plug for place, plug in self.plugs.items() if place[0] == channel and place in used]
            or [plug for place, plug in self.plugs.items() if place[0] == channel]
            for channel in sorted({channel for channel, _ in self.plugs} & wanted)
        }

    def _keep(self, medium: Medium) -> None:
        self.media[medium.site, medium.digest] = medium


def _keys(place: str) -> Keys:
    """The linter's `languages.en.rcs.card.suggestions[1].text` as the file has it: a card has no section of its own."""
    found: list[str | int] = []
    for part in place.split("."):
        name, _, index = part.partition("[")
        if name != "card":
            found += [name, int(index[:-1])] if index else [name]
    return tuple(found)
