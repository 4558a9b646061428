"""query_sm and cancel_sm, for centres that take them: many refuse both, so each has its setting."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

import msgspec

from heliograph.channels import kit
from heliograph.channels.sms import smpp_answers, smpp_ids, smpp_pdu, smpp_receipts
from heliograph.channels.sms import smpp_numbers as n
from heliograph.channels.sms.smpp_faults import fault
from heliograph.channels.sms.smpp_line import Line
from heliograph.channels.sms.smpp_sending import Sending
from heliograph.channels.sms.smpp_settings import Settings
from heliograph.core.event import Receipt
from heliograph.core.ports import Revoked
from heliograph.core.states import SAID_NO, AttemptState
from heliograph.errors import Fate, SendError

KEPT = 20_000  # messages whose ids are remembered for cancel_sm


class Questions:
    def __init__(self, settings: Settings, line: Line) -> None:
        self._settings = settings
        self._line = line
        self._taken: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        address = settings.address.removeprefix("+")
        self._source = bytes((settings.ton, settings.npi)) + address.encode("latin-1") + b"\0"

    def took(self, sending: Sending) -> None:
        """Its ids may be needed to take it back."""
        if self._settings.cancel:
            while len(self._taken) >= KEPT:
                self._taken.popitem(last=False)
            self._taken[sending.id] = tuple(one for one in sending.references if one)

    async def cancel(self, message_id: str, recipient: str, deadline: float) -> Revoked:
        """Gone is what was cancelled in all its parts; not there is what the centre knows no part of, or what it says
        (query_sm) was delivered. A bare refusal says nothing: the phone may be off. Raises SendError."""
        ids = self._taken.get(message_id, ())
        if not self._settings.cancel or not ids:
            raise SendError(
                "The message cannot be taken back: cancel_sm is off for this sender, or its id at the centre is not "
                "remembered here. Nothing was changed.",
                code="unsupported",
                fate=Fate.PERMANENT,
            )
        settings = self._settings
        address = recipient if settings.recipient_plus else recipient.removeprefix("+")
        to = bytes((settings.recipient_ton, settings.recipient_npi)) + address.encode("ascii") + b"\0"
        gone, kept = 0, 0
        for one in ids:
            body = smpp_pdu.cancel(one, self._source, to, settings.service_type)
            status, _ = await self._ask("cancel_sm", n.CANCEL_SM, body, deadline)
            if status == n.ROK:
                gone += 1
            elif status == n.RCANCELFAIL:
                kept = status
            elif status != n.RINVMSGID:
                raise smpp_answers.refused(status, exchange=self._line.exchange("cancel_sm", status=status))
        note = self._line.exchange("cancel_sm", status=kept)
        if kept and not gone and settings.query:
            now = await self.query(message_id, ids, deadline)
            kept = 0 if now is not None and now.state is AttemptState.DELIVERED else kept
        if kept or 0 < gone < len(ids):
            raise smpp_answers.refused(kept or n.RCANCELFAIL, exchange=note)
        return Revoked(gone=gone == len(ids), exchange=note)

    async def query(self, message_id: str, references: tuple[str, ...], deadline: float) -> Receipt | None:
        """What became of the whole: failed with the first part that failed, delivered when the last one was. None where
        the centre knows none of it. Raises SendError."""
        states: list[tuple[AttemptState, str]] = []
        told = []
        for one in smpp_ids.as_given(references):
            status, body = await self._ask("query_sm", n.QUERY_SM, smpp_pdu.query(one, self._source), deadline)
            if status in (n.RINVMSGID, n.RQUERYFAIL):
                continue
            if status != n.ROK:
                raise smpp_answers.refused(status, exchange=self._line.exchange("query_sm", status=status))
            _, _, rest = body.partition(b"\0")
            _, _, rest = rest.partition(b"\0")  # final_date
            stat = n.STATES.get(rest[0], f"STATE {rest[0]}") if rest else ""
            states.append(smpp_receipts.WORDS.get(stat, (AttemptState.SENT, "unknown")))
            told.append({"id": one, "state": stat, "error": rest[1] if len(rest) > 1 else 0})
        if not states:
            return None
        failed = [one for one in states if one[0] in SAID_NO]
        waiting = [one for one in states if one[0] is AttemptState.SENT]
        state, reason = (failed or waiting or states)[0]
        raw = msgspec.json.encode({"query_sm": told})
        return Receipt(
            event="q" + kit.fingerprint(message_id.encode() + raw),
            state=state,
            attempt=message_id,
            reference=references[0],
            reason=reason if not failed or len(states) == 1 else "part_lost",
            raw=msgspec.Raw(raw),
        )

    async def _ask(self, name: str, command: int, body: bytes, deadline: float) -> tuple[int, bytes]:
        session = self._line.first()
        if session is None:
            raise self._line.down()
        try:
            async with asyncio.timeout_at(deadline):
                return await session.ask(command, body)
        except (TimeoutError, ConnectionError):
            raise fault("no_answer", exchange=self._line.exchange(name, failure="no answer")) from None
