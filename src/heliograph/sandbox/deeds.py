"""What a person with a phone may be asked to do: the bodies that the control API and scenarios take."""

from __future__ import annotations

import msgspec


class Saying(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`sender`: an id, or provider/id. `in_reply_to`: the message that is quoted."""

    text: str
    sender: str = ""
    in_reply_to: str = ""


class Tapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`message`: without it the newest that came. The suggestion by its key (card:index), or by its `text`."""

    message: str = ""
    suggestion: str = ""
    text: str = ""


class Reading(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Without a message: all that is unread."""

    message: str = ""


class ToSender(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    sender: str = ""


class Place(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`label`: its name, which only some channels carry."""

    latitude: float
    longitude: float
    label: str = ""
    sender: str = ""


class Sending(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The bytes (`data`, base64 in JSON), which the provider's twin then serves, or the `url` of a file elsewhere."""

    content_type: str
    url: str = ""
    data: bytes = b""
    name: str = ""
    sender: str = ""
