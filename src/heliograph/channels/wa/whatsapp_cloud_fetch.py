"""A file that a recipient sent: its id is asked for its address, and the address, with the token again, for its bytes.

The address ends after five minutes, so that it is asked for each time. Meta keeps what came in for 7 days (r).
Source: developers.facebook.com …/whatsapp/cloud-api/reference/media (May to August 2026).
"""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from heliograph.channels import files, kit
from heliograph.channels.wa.whatsapp_cloud_answers import WHO, fault_in, refused
from heliograph.core.ports import Fetched, Out
from heliograph.errors import Fate, SendError

# Where Meta keeps files; the token goes to these. Addresses that were seen are all of lookaside.fbsbx.com.
HOSTS = (".fbsbx.com", ".fbcdn.net", ".whatsapp.net")


class _Medium(msgspec.Struct):
    url: str = ""
    mime_type: str = ""
    file_size: int = 0


_read = msgspec.json.Decoder(_Medium, strict=False).decode


async def fetch(out: Out, base: str, version: str, number: str, token: str, name: str, deadline: float) -> Fetched:
    """The file with the id `name`, which the number `number` was sent. Raises SendError (core.ports.Fetches)."""
    if not name:
        raise files.missing(WHO)
    credential = {"authorization": f"Bearer {token}"}
    url = f"{base}/{version}/{quote(name, safe='')}?phone_number_id={number}"
    try:
        response = await out.request("GET", url, deadline=deadline, headers=credential)
    except SendError as error:
        if error.fate is Fate.UNKNOWN:
            error.fate = Fate.RETRY
        raise
    if response.status // 100 != 2:
        fault = fault_in(response.body)
        if fault is not None and fault.code == 100:  # no such object, or none of this number's
            raise files.missing(WHO)
        said = refused(response)
        said.fate = said.fate if said.fate in (Fate.CONFIG, Fate.PERMANENT) else Fate.RETRY
        raise said
    try:
        medium = _read(response.body)
    except kit.UNREADABLE:
        medium = _Medium()
    if not medium.url:
        raise files.missing(WHO)
    if medium.file_size > files.MOST:
        raise files.too_large(WHO)
    got = await files.download(
        out, medium.url, who=WHO, hosts=(*HOSTS, base), deadline=deadline, headers=credential, secrets=(token,)
    )
    # What Meta says of the file is surer than what its file server says.
    return Fetched(content_type=files.essence(medium.mime_type) or got.content_type, data=got.data)
