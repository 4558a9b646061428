"""The files that WhatsApp takes, and an upload as a form.

Source: developers.facebook.com …/whatsapp/cloud-api/reference/media (supported types).
"""

from __future__ import annotations

import msgspec

_MEGABYTE = 1024 * 1024


class Place(msgspec.Struct, frozen=True):
    """Where a type of file goes: the `kind` of message that shows it, the `most` bytes, and the ending that Meta holds
    against the type."""

    kind: str
    content_type: str
    ending: str
    most: int


PLACES: dict[str, Place] = {
    place.content_type: place
    for place in (
        Place("image", "image/jpeg", "jpg", 5 * _MEGABYTE),
        Place("image", "image/png", "png", 5 * _MEGABYTE),
        Place("sticker", "image/webp", "webp", 500 * 1024),
        Place("video", "video/mp4", "mp4", 16 * _MEGABYTE),
        Place("video", "video/3gpp", "3gp", 16 * _MEGABYTE),
        Place("audio", "audio/aac", "aac", 16 * _MEGABYTE),
        Place("audio", "audio/amr", "amr", 16 * _MEGABYTE),
        Place("audio", "audio/mpeg", "mp3", 16 * _MEGABYTE),
        Place("audio", "audio/mp4", "m4a", 16 * _MEGABYTE),
        Place("audio", "audio/ogg", "ogg", 16 * _MEGABYTE),
        Place("document", "application/pdf", "pdf", 100 * _MEGABYTE),
        Place("document", "text/plain", "txt", 100 * _MEGABYTE),
        Place("document", "application/msword", "doc", 100 * _MEGABYTE),
        Place("document", "application/vnd.ms-excel", "xls", 100 * _MEGABYTE),
        Place("document", "application/vnd.ms-powerpoint", "ppt", 100 * _MEGABYTE),
        Place(
            "document",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "docx",
            100 * _MEGABYTE,
        ),
        Place("document", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx", 100 * _MEGABYTE),
        Place(
            "document",
            "application/vnd.openxmlformats-officedocument.presentationml.presentation",
            "pptx",
            100 * _MEGABYTE,
        ),
    )
}


def place_of(content_type: str) -> Place | None:
    """None for a type that WhatsApp does not take."""
    return PLACES.get(content_type.partition(";")[0].strip().lower())


def form(place: Place, data: bytes, boundary: str) -> bytes:
    """The multipart body of an upload (RFC 7578). `boundary` must not occur in `data`; a random one does not."""
    line = f"--{boundary}\r\ncontent-disposition: form-data; name="
    head = (
        f'{line}"messaging_product"\r\n\r\nwhatsapp\r\n'
        f'{line}"type"\r\n\r\n{place.content_type}\r\n'
        f'{line}"file"; filename="file.{place.ending}"\r\ncontent-type: {place.content_type}\r\n\r\n'
    )
    return head.encode() + data + f"\r\n--{boundary}--\r\n".encode()
