"""WhatsApp's content in neutral terms, so that a phone of the sandbox can show it."""

from __future__ import annotations

from heliograph.channels.wa import whatsapp_cloud_twin_templates as templates
from heliograph.channels.wa import whatsapp_cloud_twin_wire as wire
from heliograph.core import content as core
from heliograph.core.twin import Shown, World


def content(resource: bytes, world: World) -> Shown:
    """`resource` is the call's body; it was checked when it was taken."""
    message = wire.read(resource)
    if message.template is not None and message.type == "template":
        return _template(message.template, world)
    if message.interactive is not None and message.type == "interactive":
        return _interactive(message.interactive, world)
    if message.type in wire.MEDIA:
        medium: wire.Media = getattr(message, message.type)
        media = _media(medium, world)
        if medium.caption:
            return Shown(content=core.Card(card=core.CardBody(description=medium.caption, media=media)))
        return Shown(content=core.File(media=media))
    if message.text is not None and message.type == "text":
        return Shown(content=core.Text(text=message.text.body))
    if message.reaction is not None and message.type == "reaction":
        return Shown(content=core.Text(text=message.reaction.emoji))
    return Shown(content=core.Text(text=f"[{message.type}]"))


def _media(medium: wire.Media, world: World) -> core.Media:
    """Where the phone fetches a file: our own copy of an upload, or the address that Meta was told to fetch."""
    if medium.link:
        return core.Media(url=medium.link, description=medium.filename)
    kept = world.medium(medium.id)
    url = kept.url if kept is not None and kept.url else f"/media/{medium.id}"
    return core.Media(url=url, description=medium.filename, reference=medium.id)


def _interactive(said: wire.Interactive, world: World) -> Shown:
    action = said.action
    suggestions: tuple[core.Suggestion, ...] = ()
    match said.type:
        case "button":
            suggestions = tuple(core.Reply(text=one.reply.title, postback=one.reply.id) for one in action.buttons)
        case "list":
            rows = [row for section in action.sections for row in section.rows]
            suggestions = tuple(core.Reply(text=row.title, postback=row.id) for row in rows)
        case "cta_url" if action.parameters is not None:
            suggestions = (core.OpenUrl(text=action.parameters.display_text, url=action.parameters.url),)
        case "location_request_message":
            suggestions = (core.ShareLocation(text="Send location"),)
    footer = said.footer.text if said.footer else ""
    header = said.header
    if header is None:
        shown: core.Content = core.Text(text=said.body.text, suggestions=suggestions)
    else:
        medium = header.image or header.video or header.document
        body = core.CardBody(
            title=header.text, description=said.body.text, media=_media(medium, world) if medium else None
        )
        shown = core.Card(card=body, suggestions=suggestions)
    return Shown(content=shown, footer=footer, menu=action.button)


def _template(sent: wire.Template, world: World) -> Shown:
    """As it was declared, filled in. Of one that nobody declared only its name and its values can be shown."""
    values = {part.type: part.parameters for part in sent.components if part.type != "button"}
    header, body = values.get("header", ()), values.get("body", ())
    medium = next((held for one in header if (held := one.image or one.video or one.document)), None)
    declared = _declared(sent, world)
    payloads = {
        str(part.index): part.parameters[0] for part in sent.components if part.type == "button" and part.parameters
    }
    title = footer = ""
    if declared is not None:
        parts = {part.type.upper(): part for part in declared.components}
        title = _filled(parts["HEADER"].text, header) if "HEADER" in parts else ""
        text = _filled(parts["BODY"].text, body) if "BODY" in parts else ""
        footer = parts["FOOTER"].text if "FOOTER" in parts else ""
        suggestions = tuple(
            made
            for index, button in enumerate(declared.buttons)
            if (made := _button(button, payloads.get(str(index)))) is not None
        )
    else:
        said = ", ".join(_said(one) for one in (*header, *body) if _said(one))
        text = f"[{sent.name}] {said}".rstrip()
        suggestions = tuple(
            core.Reply(text=one.payload, postback=one.payload) for one in payloads.values() if one.payload
        )
    if medium is None and not title:
        return Shown(content=core.Text(text=text, suggestions=suggestions), footer=footer)
    card = core.CardBody(title=title, description=text, media=_media(medium, world) if medium else None)
    return Shown(content=core.Card(card=card, suggestions=suggestions), footer=footer)


def _declared(sent: wire.Template, world: World) -> templates.Declared | None:
    """By name and language in any account: a phone does not know whose it is."""
    ending = f"/{sent.name}/{sent.language.code}"
    for key in world.shelf(templates.SHELF):
        if key.endswith(ending):
            return templates.known(key.removesuffix(ending), sent.name, sent.language.code, world)
    return None


def _filled(text: str, values: tuple[wire.Parameter, ...]) -> str:
    named = {one.parameter_name or str(number): _said(one) for number, one in enumerate(values, 1)}
    return templates.VARIABLE.sub(lambda found: named.get(found[1], found[0]), text)


def _said(one: wire.Parameter) -> str:
    held = one.currency or one.date_time
    return held.fallback_value if held else one.text


def _button(button: templates.Button, given: wire.Parameter | None) -> core.Suggestion | None:
    match button.type.upper():
        case "QUICK_REPLY":
            # Without a payload of its own the button's text comes back.
            return core.Reply(text=button.text, postback=given.payload if given else button.text)
        case "URL":
            url = templates.VARIABLE.sub(lambda _: given.text if given else "", button.url)
            return core.OpenUrl(text=button.text, url=url)
        case "PHONE_NUMBER":
            return core.Dial(text=button.text, phone=button.phone_number)
        case _:
            return None
