"""Google's content in neutral terms, so that any phone of the sandbox can show it."""

from __future__ import annotations

import msgspec

from heliograph.channels.rcs import google_rbm_twin_wire as wire
from heliograph.core import content as core
from heliograph.core.twin import World

_HEIGHTS = {"SHORT": core.Height.SHORT, "MEDIUM": core.Height.MEDIUM, "TALL": core.Height.TALL}


class _Sent(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    content_message: wire.ContentMessage


_SENT = msgspec.json.Decoder(_Sent)


def content(resource: bytes, world: World) -> core.Content:
    """`resource` is the AgentMessage that was answered; it was checked when it was taken."""
    message = _SENT.decode(resource).content_message
    chips = _suggestions(message.suggestions)
    if message.text is not None:
        return core.Text(text=message.text, suggestions=chips)
    rich = message.rich_card
    if rich and rich.standalone_card:
        card = rich.standalone_card
        left = card.thumbnail_image_alignment == "LEFT"
        horizontal = card.card_orientation == "HORIZONTAL"
        return core.Card(
            card=_body(card.card_content, world),
            orientation=core.Orientation.HORIZONTAL if horizontal else core.Orientation.VERTICAL,
            thumbnail_side=core.Side.LEFT if left else core.Side.RIGHT,
            suggestions=chips,
        )
    if rich and rich.carousel_card:
        small = rich.carousel_card.card_width == "SMALL"
        return core.Carousel(
            cards=tuple(_body(card, world) for card in rich.carousel_card.card_contents),
            width=core.Width.SMALL if small else core.Width.MEDIUM,
            suggestions=chips,
        )
    media = _media(
        wire.Media(
            content_info=message.content_info, uploaded_rbm_file=message.uploaded_rbm_file, file_name=message.file_name
        ),
        world,
    )
    return core.File(media=media, suggestions=chips)


def _body(card: wire.CardContent, world: World) -> core.CardBody:
    return core.CardBody(
        title=card.title or "",
        description=card.description or "",
        media=_media(card.media, world) if card.media else None,
        suggestions=_suggestions(card.suggestions),
    )


def _media(media: wire.Media, world: World) -> core.Media:
    height = _HEIGHTS.get(media.height or "", core.Height.MEDIUM)
    if media.content_info:
        info = media.content_info
        return core.Media(url=info.file_url, thumbnail_url=info.thumbnail_url, height=height)
    file = media.uploaded_rbm_file
    name = file.file_name if file else media.file_name or ""
    thumbnail = file.thumbnail_name if file else None
    return core.Media(
        url=_address(name, world),
        thumbnail_url=_address(thumbnail, world) if thumbnail else None,
        height=height,
        reference=name,
    )


def _address(name: str, world: World) -> str:
    """Where the phone fetches a file: our own copy of an upload, or the address that Google was told to fetch."""
    file_id = name.removeprefix("files/")
    medium = world.medium(file_id)
    return medium.url if medium and medium.url else f"/media/{file_id}"


def _suggestions(suggestions: list[wire.Suggestion]) -> tuple[core.Suggestion, ...]:
    return tuple(_suggestion(suggestion) for suggestion in suggestions)


def _suggestion(suggestion: wire.Suggestion) -> core.Suggestion:
    action = suggestion.action
    if action is None:
        reply = suggestion.reply or wire.ReplyChip()
        return core.Reply(text=reply.text, postback=reply.postback_data or "")
    text, postback, fallback = action.text, action.postback_data or "", action.fallback_url or ""
    if dial := action.dial_action:
        return core.Dial(text=text, phone=dial.phone_number, postback=postback, fallback_url=fallback)
    if link := action.open_url_action:
        return core.OpenUrl(text=text, url=link.url, postback=postback, fallback_url=fallback)
    if place := action.view_location_action:
        return core.ViewLocation(
            text=text,
            latitude=place.lat_long.latitude if place.lat_long else None,
            longitude=place.lat_long.longitude if place.lat_long else None,
            label=place.label or "",
            query=place.query or "",
            postback=postback,
            fallback_url=fallback,
        )
    if event := action.create_calendar_event_action:
        return core.CalendarEvent(
            text=text,
            start=event.start_time,
            end=event.end_time,
            title=event.title,
            description=event.description or "",
            postback=postback,
            fallback_url=fallback,
        )
    return core.ShareLocation(text=text, postback=postback)
