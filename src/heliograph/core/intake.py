"""A call held against its site and its template: out comes an alert that can be sent, or every fault at once."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence

import msgspec

from heliograph.core import language, phone, template
from heliograph.core.alert import Alert, AlertRequest
from heliograph.core.channel import SYNONYMS
from heliograph.core.site import Kind, Site
from heliograph.core.template import CompiledTemplate
from heliograph.errors import FieldFaults

# No provider holds a message longer than asked to, and Google's own limit for RCS is 15 days (product.md, "Time to
# live"). A longer wish is shortened, and the record says so.
LONGEST_LIFE = 15 * 86_400  # seconds

NOT_ON_TEAM = (
    "A team key sends to the site's own people alone, and this recipient is not one of them. List the number under "
    "[team] recipients in the site's file and apply it, or use a live key."
)

_SHOWN = 60  # characters of a caller's word in a sentence
_LISTED = 12  # names in a list of a sentence


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """An alert that can be sent, the template version that serves it, and the language used."""

    alert: Alert
    template: CompiledTemplate
    language: str


def hold(
    request: AlertRequest,
    site: Site,
    versions: Callable[[str], Sequence[CompiledTemplate]],
    channels: frozenset[str],
    *,
    id: str,
    now: int,
    names: Callable[[], Iterable[str]] = tuple,
) -> Ready:
    """Hold a call against `site`. Raises FieldFaults with a sentence for each field that is wrong.

    `versions` gives all versions of the site's template of that name; `names` the names of all its templates (asked
    only to point out a near one); `channels` are the channels installed. `id` and `now` (ms) become the alert's.
    """
    faults: dict[str, str] = {}
    notes = list(request.notes)
    skill = _skill(request.skill, site, faults)
    recipient = phone.parse(request.country_code, request.phone)
    if isinstance(recipient, phone.PhoneFault):
        faults[recipient.field] = recipient.sentence
    elif request.kind is Kind.TEAM and recipient not in site.team.recipients:
        faults["phone"] = NOT_ON_TEAM
    _customer(request, site, faults, notes)
    channel = _channel(request.channel, channels, faults)
    variables = _variables(request.variables, faults)
    compiled = _template(request, versions, names, faults, notes)
    tag = _language(request, site, compiled, faults, notes)
    if compiled is not None:
        missing = compiled.missing(variables)
        if missing:
            sentence = template.needs(compiled, tag, missing, variables)
            faults["variables"] = f"{faults['variables']} {sentence}" if "variables" in faults else sentence
        _undeclared(compiled, variables, notes)
    life = _life(request, site, compiled, faults, notes)
    if faults or compiled is None or isinstance(recipient, phone.PhoneFault):
        raise FieldFaults(faults)
    alert = Alert(
        id=id,
        site=site.id,
        created=now,
        expires=now + life * 1000,
        recipient=recipient,
        template=compiled.template.name,
        template_version=compiled.template.version,
        language=tag,
        language_asked=request.language,
        variables=variables,
        skill=skill,
        channel_forced=channel,
        version_tag=request.version_tag,
        external_alert_id=request.external_alert_id,
        external_customer_id=request.external_customer_id,
        external_customer_id_descriptor=request.external_customer_id_descriptor,
        first_name=request.first_name,
        last_name=request.last_name,
        alert_info=request.alert_info,
        unknown=request.unknown,
        notes=tuple(notes),
        key=request.key,
        test=request.kind is Kind.TEST,
    )
    return Ready(alert=alert, template=compiled, language=tag)


def _skill(asked: str, site: Site, faults: dict[str, str]) -> str:
    skill = asked.strip() or site.default_skill or ""
    if not skill:
        faults["skill"] = "The skill is missing, and the site names no default; send the skill that answers replies."
    elif site.skills and skill not in site.skills:
        faults["skill"] = f"The skill {_quoted(skill)} is not on the site's list; it has {_list(site.skills)}."
    return skill


def _customer(request: AlertRequest, site: Site, faults: dict[str, str], notes: list[str]) -> None:
    has_id, has_descriptor = bool(request.external_customer_id), bool(request.external_customer_id_descriptor)
    if has_id and not has_descriptor:
        faults["external_customer_id_descriptor"] = (
            "The descriptor of the external customer id is missing; the two must be passed together."
        )
    elif has_descriptor and not has_id:
        if site.strict:
            faults["external_customer_id"] = (
                "The external customer id is missing and its descriptor is there; the two must be passed together."
            )
        else:
            notes.append("a descriptor came without an external customer id: it describes nothing")


def _channel(asked: str, channels: frozenset[str], faults: dict[str, str]) -> str:
    name = asked.strip().casefold()
    if not name:
        return ""
    channel = SYNONYMS.get(name, name)
    # A channel that the page names is right even where its folder is not installed: it cannot reach anybody, then.
    if channel not in channels and name not in SYNONYMS:
        known = _list(sorted(channels | SYNONYMS.keys()))
        faults["channel"] = f"The channel {_quoted(asked)} is not known; send one of {known}, or none."
    return channel


def _variables(sent: dict[str, str], faults: dict[str, str]) -> dict[str, str]:
    """By their names without the leading @."""
    for name in sent:
        if name[:1] == "@":
            break
    else:
        return sent
    plain: dict[str, str] = {}
    for name, value in sent.items():
        bare = name.removeprefix("@")
        if plain.get(bare, value) != value:
            faults["variables"] = f"The variable {_quoted(bare)} comes twice, with and without @, with two values."
        plain[bare] = value
    return plain


def _template(
    request: AlertRequest,
    versions: Callable[[str], Sequence[CompiledTemplate]],
    names: Callable[[], Iterable[str]],
    faults: dict[str, str],
    notes: list[str],
) -> CompiledTemplate | None:
    name = request.template.strip()
    if not name:
        faults["template"] = "The template is missing; send the name of one of the site's templates."
        return None
    known = versions(name)
    chosen = template.choose_version(known, request.version_tag)
    if chosen is None and known:
        have = _list([f"{version.template.version} ({version.template.state})" for version in known])
        faults["template"] = f"Template {name} has no published version; it has {have}. Publish one."
        return None
    if chosen is None:
        near = difflib.get_close_matches(name[:_SHOWN].casefold(), {n.casefold(): n for n in names()}, n=3)
        written = {n.casefold(): n for n in names()} if near else {}
        hint = f" Did you mean {' or '.join(written[n] for n in near)}?" if near else " Check its name."
        faults["template"] = f"The site has no template {_quoted(name)}.{hint}"
        return None
    if request.version_tag and not chosen.matched:
        used = chosen.compiled.template.version
        notes.append(f"no published version carries the tag {_quoted(request.version_tag)}: version {used} is used")
    return chosen.compiled


def _language(
    request: AlertRequest,
    site: Site,
    compiled: CompiledTemplate | None,
    faults: dict[str, str],
    notes: list[str],
) -> str:
    if compiled is None:
        asked = request.language.strip() or site.default_language or ""
        if not asked:
            faults["language"] = "The language is missing, and the site names no default; send one such as english."
        elif language.read(asked) is None:
            faults["language"] = language.unknown(asked)
        return ""
    chosen = template.choose_language(compiled, request.language, site.default_language)
    if isinstance(chosen, str):
        faults["language"] = chosen
        return ""
    if chosen.note:
        notes.append(chosen.note)
    return chosen.tag


def _undeclared(compiled: CompiledTemplate, variables: dict[str, str], notes: list[str]) -> None:
    extra = variables.keys() - compiled.required - compiled.defaults.keys()
    if extra:
        notes.append(f"variables that the template does not declare: {_list([f'@{name}' for name in sorted(extra)])}")


def _life(
    request: AlertRequest,
    site: Site,
    compiled: CompiledTemplate | None,
    faults: dict[str, str],
    notes: list[str],
) -> int:
    """Seconds: the call's, else the template's, else the site's."""
    asked = request.time_to_live
    if asked is not None and asked <= 0:
        faults["time_to_live"] = f"The time to live is {asked} seconds; send 1 or more, or leave it out."
    own = compiled.template.time_to_live if compiled is not None else None
    life = asked if asked is not None else own if own is not None else site.time_to_live
    if life > LONGEST_LIFE:
        notes.append(f"time to live {life} s: shortened to {LONGEST_LIFE} s, the longest that is held")
    return min(life, LONGEST_LIFE)


def _quoted(word: str) -> str:
    """A caller's own word in a sentence: short, and with control characters made visible."""
    return repr(word if len(word) <= _SHOWN else word[: _SHOWN - 1] + "…")


def _list(words: Sequence[str]) -> str:
    short = [word if len(word) <= _SHOWN else word[: _SHOWN - 1] + "…" for word in words[:_LISTED]]
    rest = len(words) - _LISTED
    return ", ".join(short) + (f" and {rest} more" if rest > 0 else "")
