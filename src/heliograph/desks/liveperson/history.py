"""LivePerson's own record of conversations (Messaging Interactions API), asked where an answer was lost.

Source: developers.liveperson.com, "Get conversation by conversation ID", "Get conversations by consumer ID". It needs a
key of an agent's kind that may read it, and shows messages some time after they came: what it does not show may be
there all the same.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from heliograph.desks import kit
from heliograph.desks.kit import Row
from heliograph.desks.liveperson import answers, skills
from heliograph.desks.liveperson.account import Account
from heliograph.desks.liveperson.settings import Settings
from heliograph.errors import Fate

SOURCE = "heliograph"  # who asks, at most 20 characters


class Message(msgspec.Struct, frozen=True):
    sequence: int
    text: str
    at: int  # ms


class _Text(msgspec.Struct):
    text: str = ""


class _Data(msgspec.Struct):
    msg: _Text = msgspec.field(default_factory=_Text)


class _Record(msgspec.Struct, rename="camel"):
    type: str = ""
    message_data: _Data = msgspec.field(default_factory=_Data)
    seq: int = -1
    time_l: int = 0
    sent_by: str = ""


class _Info(msgspec.Struct, rename="camel"):
    conversation_id: str = ""
    status: str = ""


class _Conversation(msgspec.Struct, rename="camel"):
    info: _Info = msgspec.field(default_factory=_Info)
    message_records: list[_Record] = []


class _Found(msgspec.Struct, rename="camel"):
    conversation_history_records: list[_Conversation] = []


async def said(account: Account, settings: Settings, conversation: str, deadline: float) -> list[Message]:
    """The consumer's texts in a conversation, as far as they are shown yet. Raises SendError."""
    body = {"conversationId": conversation, "contentToRetrieve": ["messageRecords"]}
    found = await _search(account, settings, "conversation", body, deadline)
    return [
        Message(one.seq, one.message_data.msg.text, one.time_l)
        for record in found
        for one in record.message_records
        if one.type == "TEXT_PLAIN" and one.sent_by == "Consumer"
    ]


async def open_of(account: Account, settings: Settings, consumer: str, deadline: float) -> str:
    """The conversation that a consumer (by LivePerson's own id) has open; empty where none is shown. Raises
    SendError."""
    body = {"consumer": consumer, "status": ["OPEN"], "contentToRetrieve": []}
    found = await _search(account, settings, "consumer", body, deadline)
    return next((one.info.conversation_id for one in found if one.info.status in ("OPEN", "")), "")


async def _search(
    account: Account, settings: Settings, by: str, body: Mapping[str, object], deadline: float
) -> list[_Conversation]:
    base = await account.base("msgHist", deadline)
    path = f"/messaging_history{account.path}/conversations/{by}/search"
    url = f"{base}{path}?source={SOURCE}"
    response = await skills.read(account, settings, "POST", url, deadline, msgspec.json.encode(body))
    try:
        return msgspec.json.decode(response.body, type=_Found, strict=False).conversation_history_records
    except kit.UNREADABLE:
        row = Row("bad_answer", Fate.RETRY, "that is no list of conversations.")
        raise kit.error(row, response, who=answers.WHO) from None
