"""What a recipient would see: a template filled with examples, as each channel's providers carry it. Used by previews
and by the linter, and made by the same fitting and measuring as an alert."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from heliograph.core.channel import Carries, Size
from heliograph.core.content import Content
from heliograph.core.fit import fit
from heliograph.core.template import ANY, CompiledTemplate, Template, Variable


class Carrier(Protocol):
    """What a preview needs of a provider's module (core.ports.Plug)."""

    NAME: str
    CARRIES: Carries

    def check(self, content: Content) -> list[str]: ...
    def measure(self, content: Content) -> Size: ...


Carriers = Mapping[str, Sequence[Carrier]]  # channel → those who carry it


class Seen(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One language on one channel. `own`: the template has content for just this channel, not for any. `providers`:
    those that show it so. `rules`, `lost`: how it was made to fit (core.fit). `faults`: why it would not be sent.
    `window`: seconds after the recipient's last message in which free content goes; 0 = always."""

    language: str
    channel: str
    own: bool
    providers: tuple[str, ...]
    content: Content
    size: Size
    rules: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    window: int = 0


def stand_in(variable: Variable) -> tuple[str, str]:
    """What is shown of a variable where no call is: its kind (example | default | name) and its text."""
    if variable.example:
        return "example", variable.example
    return ("default", variable.default) if variable.default else ("name", variable.name)


def examples(template: Template) -> dict[str, str]:
    """A value for each variable."""
    return {variable.name: stand_in(variable)[1] for variable in template.variables}


def preview(compiled: CompiledTemplate, values: Mapping[str, str], carriers: Carriers) -> list[Seen]:
    """Every language on every channel: those of `carriers`, and those of the template that nobody here carries.
    Providers of a channel that show the same stand in one."""
    own = [channel for channels in compiled.contents.values() for channel in channels if channel != ANY]
    seen: list[Seen] = []
    for language in compiled.languages:
        for channel in dict.fromkeys((*own, *carriers)):
            content = compiled.render(language, channel, values)
            if content is None:
                continue
            place = {"language": language, "channel": channel, "own": channel in compiled.contents[language]}
            many = [_seen(place, content, one) for one in carriers.get(channel, ())]
            seen += _joined(many) or [Seen(**place, providers=(), content=content, size=Size())]  # type: ignore[arg-type]
    return seen


def _seen(place: dict[str, object], content: Content, carrier: Carrier) -> Seen:
    fitted = fit(content, carrier.CARRIES)
    return Seen(
        **place,  # type: ignore[arg-type]
        providers=(carrier.NAME,),
        content=fitted.content,
        size=carrier.measure(fitted.content),
        rules=fitted.rules,
        lost=fitted.lost,
        faults=tuple(carrier.check(fitted.content)),
        window=carrier.CARRIES.window,
    )


def _joined(many: list[Seen]) -> list[Seen]:
    found: list[Seen] = []
    for one in many:
        for at, other in enumerate(found):
            if msgspec.structs.replace(one, providers=other.providers) == other:
                found[at] = msgspec.structs.replace(other, providers=other.providers + one.providers)
                break
        else:
            found.append(one)
    return found
