"""The account's message templates: declared by its API, held against what is sent.

An account that declared none knows every name: then only what is wrong for all templates is refused. What is declared
is approved at once. `status` may be given (PAUSED, DISABLED, REJECTED …), which Meta's own API does not take: the
sandbox has no reviewers.

Source: developers.facebook.com …/whatsapp/business-management-api/message-templates; (r) = recalled.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from heliograph.channels.wa import whatsapp_cloud_twin_wire as wire
from heliograph.channels.wa.whatsapp_cloud_twin_answers import Refused, given
from heliograph.core.twin import TwinAnswer, World

SHELF = "whatsapp-cloud"
VARIABLE = re.compile(r"\{\{\s*([a-z0-9_]+)\s*\}\}")
_BREAKS = re.compile(r"[\n\r\t]| {4,}")


class Button(msgspec.Struct, frozen=True, kw_only=True):
    type: str  # QUICK_REPLY | URL | PHONE_NUMBER | COPY_CODE …
    text: str = ""
    url: str = ""
    phone_number: str = ""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """HEADER (TEXT, IMAGE, VIDEO, DOCUMENT, LOCATION), BODY, FOOTER or BUTTONS."""

    type: str
    format: str = "TEXT"
    text: str = ""
    buttons: tuple[Button, ...] = ()
    example: Any = None


class Declared(msgspec.Struct, frozen=True, kw_only=True):
    name: Annotated[str, Meta(min_length=1, max_length=512, pattern="^[a-z0-9_]+$")]
    language: Annotated[str, Meta(min_length=1)]
    category: str = "UTILITY"
    components: tuple[Part, ...] = ()
    parameter_format: str = "POSITIONAL"
    message_send_ttl_seconds: int | None = None
    status: str = "APPROVED"
    id: str = ""

    def part(self, kind: str) -> Part | None:
        return next((one for one in self.components if one.type.upper() == kind), None)

    @property
    def buttons(self) -> tuple[Button, ...]:
        part = self.part("BUTTONS")
        return part.buttons if part else ()


_read = msgspec.json.Decoder(Declared).decode


def route(method: str, account: str, query: dict[str, str], body: bytes, world: World) -> TwinAnswer:
    """/{WABA_ID}/message_templates."""
    shelf = world.shelf(SHELF)
    match method:
        case "POST":
            try:
                told = _read(body)
            except (msgspec.DecodeError, UnicodeDecodeError) as fault:
                raise Refused(100, str(fault)) from fault
            if known(account, told.name, told.language, world) is not None:
                raise Refused(100, "Content in this language already exists.", subcode=2388024)
            made = msgspec.structs.replace(told, id=str(int(world.new_id().replace("-", "")[:12], 16)))
            shelf[_key(account, told.name, told.language)] = msgspec.json.encode(made)
            return given({"id": made.id, "status": made.status, "category": made.category})
        case "GET":
            wanted = query.get("name", "")
            found = [one for one in all_of(account, world) if wanted in ("", one.name)]
            return given({"data": found, "paging": {}})
        case "DELETE":
            gone = [one for one in all_of(account, world) if one.name == query.get("name", "")]
            if not gone:
                raise Refused(100, "Message template not found.", subcode=2593002)
            for one in gone:
                del shelf[_key(account, one.name, one.language)]
            return given({"success": True})
        case _:
            raise Refused(100, message=f"(#100) Unsupported {method} request")


def all_of(account: str, world: World) -> list[Declared]:
    return [_read(body) for key, body in world.shelf(SHELF).items() if key.startswith(f"{account}/")]


def known(account: str, name: str, language: str, world: World) -> Declared | None:
    body = world.shelf(SHELF).get(_key(account, name, language))
    return _read(body) if body is not None else None


def check(sent: wire.Template, account: str, world: World) -> Declared | None:
    """The declared template that is sent; None in an account that declared none. Raises Refused."""
    for component in sent.components:
        for one in component.parameters:
            _value(one)
    names = {bool(one.parameter_name) for part in sent.components for one in part.parameters if one.type == "text"
             and part.type != "button"}  # fmt: skip
    if len(names) > 1:
        raise Refused(100, "Named and positional parameters cannot be mixed.")
    declared = known(account, sent.name, sent.language.code, world)
    if declared is None:
        if all_of(account, world):
            raise Refused(132001, f"template name ({sent.name}) does not exist in {sent.language.code}")
        return None
    match declared.status:
        case "APPROVED":
            pass
        case "PAUSED":
            raise Refused(132015, "Template is paused due to low quality so it cannot be sent in a template message.")
        case "DISABLED":
            raise Refused(132016, "Template has been paused too many times and is now permanently disabled.")
        case _:
            raise Refused(132001, f"template name ({sent.name}) is not approved in {sent.language.code}")
    _header(sent, declared)
    _counted("body", _parameters(sent, "body"), declared.part("BODY"), declared)
    _buttons(sent, declared)
    return declared


def _value(one: wire.Parameter) -> None:
    match one.type:
        case "text":
            if not one.text:
                raise Refused(131008, "Parameter of type text is missing text value.")
            if _BREAKS.search(one.text):
                # (r): the code and these words
                raise Refused(
                    132018, "Param text cannot have new-line/tab characters or more than 4 consecutive spaces."
                )
        case "payload" | "coupon_code" | "image" | "video" | "document" | "location" | "currency" | "date_time":
            if not getattr(one, one.type):
                raise Refused(131008, f"Parameter of type {one.type} is missing its value.")
        case _:
            raise Refused(100, f"Param type {one.type[:40]!r} is not one of a template's.")


def _parameters(sent: wire.Template, kind: str) -> tuple[wire.Parameter, ...]:
    return next((one.parameters for one in sent.components if one.type == kind), ())


def _header(sent: wire.Template, declared: Declared) -> None:
    part, values = declared.part("HEADER"), _parameters(sent, "header")
    wanted = part.format.upper() if part else "TEXT"
    if wanted == "TEXT":
        _counted("header", values, part, declared)
    elif len(values) != 1 or values[0].type.upper() != wanted:
        got = values[0].type.upper() if values else "UNKNOWN"
        raise Refused(132012, f"header: Format mismatch, expected {wanted}, received {got}")


def _counted(place: str, values: tuple[wire.Parameter, ...], part: Part | None, declared: Declared) -> None:
    wanted = list(dict.fromkeys(VARIABLE.findall(part.text))) if part else []
    if len(values) != len(wanted):
        raise Refused(
            132000,
            f"{place}: number of localizable_params ({len(values)}) does not match the expected number of params "
            f"({len(wanted)})",
        )
    if declared.parameter_format.upper() == "NAMED":
        given_names = {one.parameter_name for one in values}
        if given_names != set(wanted):
            raise Refused(100, f"{place}: Parameter name is missing or empty.")
    elif any(one.parameter_name for one in values):
        raise Refused(100, f"{place}: the template's parameters are positional.")


def _buttons(sent: wire.Template, declared: Declared) -> None:
    values = {int(one.index): one for one in sent.components if one.type == "button" and str(one.index).isdecimal()}
    for index, one in values.items():
        if index >= len(declared.buttons):
            raise Refused(132000, f"buttons: there is no button at index {index}")
        kind = declared.buttons[index].type.upper()
        if one.sub_type.upper() != kind:
            raise Refused(132012, f"button at index {index} of type {kind} got the sub_type {one.sub_type[:20]}")
    for index, button in enumerate(declared.buttons):
        needs = button.type.upper() == "COPY_CODE" or (button.type.upper() == "URL" and VARIABLE.search(button.url))
        if needs and index not in values:
            # (r): Meta's own words for it
            raise Refused(131008, f"Button at index {index} of type {button.type.title()} requires a parameter")


def _key(account: str, name: str, language: str) -> str:
    return f"{account}/{name}/{language}"
