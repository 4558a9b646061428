"""Files at Meta: uploaded as a form, named by an id, told by an address that ends.

Source: developers.facebook.com …/whatsapp/cloud-api/reference/media.
"""

from __future__ import annotations

import hashlib
import re
from urllib.parse import urlsplit

from heliograph.channels.wa.whatsapp_cloud_twin_answers import Refused, given, stopped
from heliograph.core.ports import Call
from heliograph.core.twin import KnownSender, Medium, TwinAnswer, World

MEGABYTE = 1_048_576
MOST = 100 * MEGABYTE
ATTACHMENTS = "/whatsapp_business/attachments/"  # at Meta on a host of its own, lookaside.fbsbx.com
_OFFICE = "application/vnd.openxmlformats-officedocument."
# type → the bytes that are allowed
TYPES = {
    "image/jpeg": 5 * MEGABYTE,
    "image/png": 5 * MEGABYTE,
    "image/webp": 500 * 1024,
    "video/mp4": 16 * MEGABYTE,
    "video/3gpp": 16 * MEGABYTE,
    "audio/aac": 16 * MEGABYTE,
    "audio/amr": 16 * MEGABYTE,
    "audio/mpeg": 16 * MEGABYTE,
    "audio/mp4": 16 * MEGABYTE,
    "audio/ogg": 16 * MEGABYTE,
    "application/pdf": MOST,
    "text/plain": MOST,
    "application/msword": MOST,
    "application/vnd.ms-excel": MOST,
    "application/vnd.ms-powerpoint": MOST,
    f"{_OFFICE}wordprocessingml.document": MOST,
    f"{_OFFICE}spreadsheetml.sheet": MOST,
    f"{_OFFICE}presentationml.presentation": MOST,
}
_BOUNDARY = re.compile(r'boundary="?([^";,]+)"?', re.IGNORECASE)
_NAME = re.compile(rb'\bname="([^"]*)"')
_TYPE = re.compile(rb"^content-type:\s*([^\r\n;]+)", re.IGNORECASE | re.MULTILINE)


def upload(sender: KnownSender, call: Call, world: World) -> TwinAnswer:
    fields = _form(call)
    if fields.get("messaging_product", ("", b""))[1] != b"whatsapp":
        raise Refused(100, message="(#100) The parameter messaging_product is required.")
    if "file" not in fields:
        raise Refused(100, message="(#100) The parameter file is required.")
    content_type, data = fields["file"]
    said = fields["type"][1].decode("utf-8", "replace") if "type" in fields else content_type
    most = TYPES.get(content_type)
    if most is None or said.partition(";")[0].strip() != content_type:
        raise Refused(100, f"Param file must be a file with one of the following types: {', '.join(sorted(TYPES))}.")
    if not 0 < len(data) <= most:
        raise Refused(131053, f"File size {len(data)} is not within 1 and {most} bytes.")
    rule = world.misbehaviour("files", "", sender.id, provider=sender.provider)
    delay = stopped(rule)
    name = world.keep(Medium(content_type=content_type, data=data))
    world.note("file", sender=sender.id, detail=name)
    return given({"id": name}, rule, delay)


def found(name: str, method: str, call: Call, world: World) -> TwinAnswer:
    """GET and DELETE /{MEDIA_ID}. The address is that of the bytes, which ask for the token once more."""
    medium = world.medium(name)
    if medium is None or method not in ("GET", "DELETE"):
        raise missing(method, name)
    if method == "DELETE":
        return given({"success": True})
    address = urlsplit(call.url)
    return given(
        {
            "messaging_product": "whatsapp",
            "url": medium.url or f"{address.scheme}://{address.netloc}{ATTACHMENTS}?mid={name}",
            "mime_type": medium.content_type,
            "sha256": hashlib.sha256(medium.data).hexdigest(),
            "file_size": len(medium.data),
            "id": name,
        }
    )


def attachment(name: str, world: World) -> TwinAnswer:
    """The bytes. What Meta's file server says of one that it has not is not documented (r)."""
    medium = world.medium(name)
    if medium is None or not medium.data:
        return TwinAnswer(status=404, headers={"content-type": "text/html"})
    return TwinAnswer(body=medium.data, headers={"content-type": medium.content_type})


def missing(method: str, name: str) -> Refused:
    return Refused(
        100,
        message=f"Unsupported {method.lower()} request. Object with ID '{name[:40]}' does not exist, cannot be loaded "
        "due to missing permissions, or does not support this operation. Please read the Graph API documentation at "
        "https://developers.facebook.com/docs/graph-api",
        subcode=33,
    )


def _form(call: Call) -> dict[str, tuple[str, bytes]]:
    """The fields of a multipart form: name → (content type, bytes)."""
    asked = _BOUNDARY.search(call.headers.get("content-type", ""))
    if asked is None:
        raise Refused(100, message="(#100) The parameter file is required.")
    fields: dict[str, tuple[str, bytes]] = {}
    for part in (b"\r\n" + call.body).split(b"\r\n--" + asked[1].strip().encode())[1:]:
        head, between, data = part.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if between and name is not None:
            kind = _TYPE.search(head)
            fields[name[1].decode("utf-8", "replace")] = (kind[1].decode("latin-1").strip() if kind else "", data)
    return fields
