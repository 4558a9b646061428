"""A message that the provider keeps under a name (a WhatsApp template), as a template's file writes it:

[languages.en.wa]
template = "flight_delay"                    # its name at the provider
language = "en_US"                           # the provider's code; left out: the section's, as in en or pt_BR
header = "@City"                             # or { url = … } or { file = … }
body = ["@City", "@Time"]                    # in their order; named ones as { city = "@City", time = "@Time" }
buttons = [
  { reply = "Rebook", postback = "rebook" },
  { open_url = "Track", url = "https://acme.example/t/@Ref", end = "@Ref" },
]
shown = "Your flight to @City leaves at @Time."

[languages.en.wa.free]                       # instead, while the recipient's window is open
text = "…"
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from heliograph.core.content import Button, Content, Dial, Media, Named, OpenUrl, Parameter, Reply, Suggestion
from heliograph.sitefiles.toml import Section

_KEYS = ("template", "language", "header", "body", "buttons", "shown", "free", "native")
_BUTTONS: dict[str, type[Reply | OpenUrl | Dial]] = {"reply": Reply, "open_url": OpenUrl, "dial": Dial}
_CODE = "copy_code"


def read(
    section: Section,
    native: dict[str, msgspec.Raw],
    content: Callable[[Section], Content | None],
    media: Callable[[Section], Media | None],
) -> Named | None:
    """The named message in `section`; None where its free form has faults. `content` and `media` read such sections."""
    section.known(_KEYS, "A message that the provider keeps")
    language = section.keys[1] if len(section.keys) > 1 else ""
    free = content(section.section("free")) if "free" in section.table else None
    if isinstance(free, Named):
        section.fault("free must be content of its own, not another template of the provider.", "free")
        return None
    buttons, suggestions = _buttons(section)
    return Named(
        name=section.text("template"),
        language=section.text("language") or str(language).replace("-", "_"),
        header=_header(section, media),
        body=_values(section, "body"),
        buttons=buttons,
        shown=section.text("shown"),
        suggestions=suggestions,
        free=free,
        native=native,
    )


def _header(section: Section, media: Callable[[Section], Media | None]) -> tuple[Parameter, ...]:
    """One value: a text, a medium, or (named) { city = "@City" }."""
    given = section.table.get("header")
    if isinstance(given, str):
        return (Parameter(text=given),)
    if isinstance(given, dict) and ("url" in given or "file" in given):
        found = media(section.section("header"))
        return (Parameter(media=found),) if found else ()
    return _values(section, "header")


def _values(section: Section, key: str) -> tuple[Parameter, ...]:
    """A list of texts counts by position, a table by name."""
    given = section.table.get(key, [])
    if isinstance(given, dict):
        table = section.section(key)
        return tuple(Parameter(name=name, text=table.text(name)) for name in given)
    if isinstance(given, list) and all(isinstance(one, str) for one in given):
        return tuple(Parameter(text=one) for one in given)
    section.fault(
        f'{key} must be a list of texts, as in ["@City", "@Time"], or named ones, as in {{ city = "@City" }}.', key
    )
    return ()


def _buttons(section: Section) -> tuple[tuple[Button, ...], tuple[Suggestion, ...]]:
    """The values that the buttons need, and what they stand for. A button is counted by its place at the provider, so
    all of them are written, also those that need no value."""
    values: list[Button] = []
    suggestions: list[Suggestion] = []
    for index, one in enumerate(section.sections("buttons")):
        kinds = [kind for kind in (*_BUTTONS, _CODE) if kind in one.table]
        if len(kinds) != 1:
            said = ", ".join(one.table) or "nothing"
            known = ", ".join((*_BUTTONS, _CODE))
            one.fault(f'A button names one kind of {known}, as in {{ reply = "Yes" }}; this one has {said}.')
            continue
        kind = kinds[0]
        if kind == _CODE:
            one.known((_CODE,), "A button of kind copy_code")
            values.append(Button(index=index, kind="copy_code", value=one.text(_CODE)))
            continue
        own = (kind, "end") if kind == "open_url" else (kind,)
        inner = Section(one.document, one.keys, {key: value for key, value in one.table.items() if key not in own})
        suggestion = inner.struct(_BUTTONS[kind], f"A button of kind {kind}", given={"text": one.text(kind)})
        if suggestion is None:
            continue
        if isinstance(suggestion, Reply):
            if suggestion.postback:
                values.append(Button(index=index, kind="reply", value=suggestion.postback))
            else:  # without a payload of ours WhatsApp gives the button's own text back
                suggestion = msgspec.structs.replace(suggestion, postback=suggestion.text)
        elif end := one.text("end"):
            values.append(Button(index=index, kind="url", value=end))
        suggestions.append(suggestion)
    return tuple(values), tuple(suggestions)
