"""What a centre delivers to an account, as deliver_sm: receipts, and what phones write."""

from __future__ import annotations

from datetime import UTC, datetime

from heliograph.channels.sms import smpp_numbers as n
from heliograph.channels.sms import smpp_twin_text as texts
from heliograph.channels.sms import smpp_twin_wire as wire
from heliograph.channels.sms.smpp_twin_accounts import Options

_STATES = {word: state for state, word in n.STATES.items()}


def receipt(
    submit: wire.Submit,
    options: Options,
    *,
    id: str,
    stat: str,
    err: str,
    network: bytes,
    shown: str,
    taken_at: int,
    now: int,
) -> bytes:
    """The receipt for `submit`, in the text of Appendix B, in parameters, or in both. Times in ms."""
    text = optional = b""
    if options.receipts != "tlv":
        sent, ended = (datetime.fromtimestamp(at / 1000, UTC) for at in (taken_at, now))
        text = (
            f"id:{id} sub:001 dlvrd:{'001' if stat == 'DELIVRD' else '000'} submit date:{sent:%y%m%d%H%M} "
            f"done date:{ended:%y%m%d%H%M} stat:{stat} err:{err} text:{shown[:20]}"
        ).encode("ascii", "replace")[:254]
    if options.receipts != "text":
        optional += wire.parameter(n.TLV_RECEIPTED_MESSAGE_ID, wire.string(id))
        optional += wire.parameter(n.TLV_MESSAGE_STATE, bytes((_STATES.get(stat, 7),)))
    if network:
        optional += wire.parameter(n.TLV_NETWORK_ERROR_CODE, network)
    reference = submit.optional.get(n.TLV_USER_MESSAGE_REFERENCE)
    if options.echo and reference is not None:
        optional += wire.parameter(n.TLV_USER_MESSAGE_REFERENCE, reference)
    return wire.deliver(
        source=(submit.destination_ton, submit.destination_npi, submit.destination),
        destination=(submit.source_ton, submit.source_npi, submit.source),
        esm_class=n.ESM_RECEIPT,
        data_coding=n.GSM,
        octets=text,
        optional=optional,
    )


def said(number: str, to: str, text: str, *, reference: int, sar: bool) -> list[bytes]:
    """What a phone writes; what is long comes in parts, joined by user data header, or by parameters where `sar`."""
    coding, parts = texts.write(text)
    long = len(parts) > 1
    headed = long and not sar
    return [
        wire.deliver(
            source=(n.TON_INTERNATIONAL, n.NPI_ISDN, number.removeprefix("+")),
            destination=(n.TON_UNKNOWN, n.NPI_UNKNOWN, to.removeprefix("+")),
            esm_class=n.ESM_UDHI if headed else 0,
            data_coding=coding,
            octets=octets,
            optional=_sar(reference, len(parts), at) if long and sar else b"",
        )
        for at, octets in enumerate(texts.headed(parts, reference) if headed else parts, 1)
    ]


def _sar(reference: int, total: int, number: int) -> bytes:
    return (
        wire.parameter(n.TLV_SAR_MSG_REF_NUM, reference.to_bytes(2))
        + wire.parameter(n.TLV_SAR_TOTAL_SEGMENTS, bytes((total,)))
        + wire.parameter(n.TLV_SAR_SEGMENT_SEQNUM, bytes((number,)))
    )
