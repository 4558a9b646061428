"""What needs no line: codec, cuts, ids, receipts, times, settings. The twin's own reader reads what we write."""

from __future__ import annotations

import struct
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.channels.sms import smpp, smpp_ids, smpp_inbound, smpp_joined, smpp_pdu, smpp_receipts, smpp_text
from heliograph.channels.sms import smpp_numbers as n
from heliograph.channels.sms import smpp_twin_text as twin_text
from heliograph.channels.sms import smpp_twin_wire as twin_wire
from heliograph.channels.sms.smpp_twin_time import validity
from heliograph.core import sms
from heliograph.core.content import Card, CardBody, Reply, Text
from heliograph.core.states import AttemptState

GSM_TEXT = st.text(st.sampled_from(sorted(sms._CODES)), min_size=1, max_size=500)
ANY_TEXT = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=400)
PLAIN = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=20)
OCTETS = st.binary(max_size=300)
NOW = 1_795_402_843_000


# ── the codec ───────────────────────────────────────────────────────────────────────────────────────────────────────


@given(
    address=PLAIN,
    to=PLAIN,
    text=OCTETS,
    esm=st.integers(0, 255),
    coding=st.integers(0, 255),
    tag=st.binary(max_size=40),
)
def test_a_submit_is_read_as_it_was_written(address, to, text, esm, coding, tag):
    body = smpp_pdu.submit(
        smpp_pdu.source("", 5, 0, address),
        b"\x01\x01" + to.encode() + b"\0",
        esm_class=esm,
        protocol_id=0,
        priority=1,
        validity=b"000000010000000R",
        registered=1,
        data_coding=coding,
        text=text,
        optional=smpp_pdu.tlv(n.TLV_USER_MESSAGE_REFERENCE, tag),
    )
    (pdu,) = twin_wire.Inlet().feed(smpp_pdu.pdu(n.SUBMIT_SM, 0, 7, body))
    read = twin_wire.read_submit(pdu)
    assert (read.source_ton, read.source, read.destination, read.octets) == (5, address, to, text)
    assert (read.esm_class, read.data_coding, read.registered) == (esm, coding, 1)
    assert read.optional[n.TLV_USER_MESSAGE_REFERENCE] == tag


@given(address=PLAIN, to=PLAIN, text=st.binary(max_size=254), esm=st.integers(0, 255), tag=st.binary(max_size=40))
def test_a_delivery_is_read_as_it_was_written(address, to, text, esm, tag):
    body = twin_wire.deliver(
        source=(1, 1, address),
        destination=(0, 0, to),
        esm_class=esm,
        data_coding=8,
        octets=text,
        optional=twin_wire.parameter(n.TLV_RECEIPTED_MESSAGE_ID, tag),
    )
    read = smpp_pdu.delivered(body)
    assert (read.source_ton, read.source, read.destination, read.text) == (1, address, to, text)
    assert (read.esm_class, read.data_coding, read.optional) == (esm, 8, {n.TLV_RECEIPTED_MESSAGE_ID: tag})


@given(body=st.binary(max_size=120))
def test_any_octets_are_read_or_refused(body):
    for read in (smpp_pdu.delivered, smpp_pdu.data):
        try:
            said = read(body)
        except smpp_pdu.BadPdu:
            continue
        smpp_joined.split(said)
        smpp_receipts.read(said.text, said.optional, errors={}, zone="UTC")


@given(
    pdus=st.lists(st.tuples(st.sampled_from((4, 5, 21)), st.integers(1, 1000), st.binary(max_size=60)), max_size=8),
    cuts=st.lists(st.integers(1, 40), max_size=30),
)
def test_pdus_are_cut_out_of_any_chunks(pdus, cuts):
    stream = b"".join(smpp_pdu.pdu(command, 0, sequence, body) for command, sequence, body in pdus)
    inlet, found = twin_wire.Inlet(), []
    while stream:
        size = cuts.pop() if cuts else len(stream)
        found += inlet.feed(stream[:size])
        stream = stream[size:]
    assert [(pdu.command, pdu.sequence, pdu.body) for pdu in found] == pdus


def test_a_data_sm_is_read():
    body = b"\0" + b"\x01\x01123\0" + b"\0\0ACME\0" + bytes((0, 0, 3)) + smpp_pdu.tlv(n.TLV_MESSAGE_PAYLOAD, b"\xe9")
    said = smpp_pdu.data(body)
    assert (said.source, said.destination, said.data_coding, said.text) == ("123", "ACME", 3, b"\xe9")


# ── texts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@given(text=st.one_of(GSM_TEXT, ANY_TEXT), long=st.sampled_from(("udh", "sar", "payload")), latin1=st.booleans())
def test_a_text_is_put_together_by_the_other_side(text, long, latin1):
    coding, pieces = smpp_text.pieces(text, long=long, latin1=latin1, reference=200)
    puzzle, shown = twin_text.Puzzle(), []
    for piece in pieces:
        # Parameters are read as the centre would.
        optional = twin_wire.Reader(twin_wire.Pdu(0, 0, 0, piece.optional)).optional()
        spot, octets = twin_text.spot(piece.esm_class, piece.text, optional)
        assert len(piece.text) <= (160 if coding == n.GSM else 140) or long == "payload"
        if spot is None:
            shown.append(twin_text.read(octets, coding))
        elif (whole := puzzle.add("a", "b", spot, coding, octets)) is not None:
            shown.append(whole)
    assert shown == [text]
    if not latin1:
        measured = sms.measure(text)
        assert (len(pieces) == measured.parts) or long == "payload"


@given(text=st.one_of(GSM_TEXT, ANY_TEXT), sar=st.booleans(), data=st.data())
def test_what_a_phone_writes_is_put_together_by_us(text, sar, data):
    coding, parts = twin_text.write(text)
    joined = smpp_joined.Joined(within=60, alphabet="gsm")
    shown = twin_text.headed(parts, 9) if len(parts) > 1 and not sar else parts
    numbered = list(enumerate(shown, 1))
    for at, octets in data.draw(st.permutations(numbered)) if len(parts) <= 6 else reversed(numbered):
        said = smpp_pdu.Delivered(
            source_ton=1,
            source="12025550123",
            destination="ACME",
            esm_class=n.ESM_UDHI if len(parts) > 1 and not sar else 0,
            data_coding=coding,
            text=octets,
            optional={}
            if len(parts) == 1 or not sar
            else {
                n.TLV_SAR_MSG_REF_NUM: b"\0\x09",
                n.TLV_SAR_TOTAL_SEGMENTS: bytes((len(parts),)),
                n.TLV_SAR_SEGMENT_SEQNUM: bytes((at,)),
            },
        )
        place, rest = smpp_joined.split(said)
        if place is None:
            assert smpp_text.decoded(rest, coding, "gsm") == text
            return
        key, whole = joined.take(said, place, rest, 0.0)
    assert whole is not None and (whole.text, whole.missing) == (text, 0)
    joined.settled(key)
    assert len(joined) == 0


def _part(source: str, number: int, total: int, text: bytes, coding: int = 0) -> smpp_pdu.Delivered:
    header = bytes((5, 0, 3, 1, total, number))
    return smpp_pdu.Delivered(
        source_ton=1,
        source=source,
        destination="ACME",
        esm_class=0x40,
        data_coding=coding,
        text=header + text,
        optional={},
    )


def _take(joined: smpp_joined.Joined, said: smpp_pdu.Delivered, now: float = 0.0):
    place, octets = smpp_joined.split(said)
    assert place is not None
    return joined.take(said, place, octets, now)[1]


def test_what_does_not_become_whole_is_given_out_and_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(smpp_joined, "KEPT", 3)
    joined = smpp_joined.Joined(within=60, alphabet="gsm")
    for at in range(5):
        assert _take(joined, _part(str(at), 1, 3, b"one"), now=at) is None
    assert [(whole.source, whole.text, whole.missing) for whole in joined.late(5)] == [
        ("0", "one…", 2),
        ("1", "one…", 2),
    ]
    assert len(joined) == 3
    assert [whole.source for whole in joined.late(63)] == ["2", "3"]
    assert [whole.source for whole in joined.rest()] == ["4"]


def test_a_whole_that_could_not_be_kept_is_given_again_under_the_same_id():
    joined = smpp_joined.Joined(within=60, alphabet="gsm")
    _take(joined, _part("1", 1, 2, b"one "))
    first = _take(joined, _part("1", 2, 2, b"two"))
    again = _take(joined, _part("1", 2, 2, b"two"))
    assert first == again
    assert first.text == "one two"


def test_parts_of_different_alphabets_and_what_is_no_text():
    joined = smpp_joined.Joined(within=60, alphabet="gsm")
    _take(joined, _part("1", 1, 2, b"abc"))
    assert _take(joined, _part("1", 2, 2, "ъ".encode("utf-16-be"), n.UCS2)).text == "abcъ"
    _take(joined, _part("2", 1, 2, b"abc"))
    assert _take(joined, _part("2", 2, 2, b"\1\2", n.OCTETS)).text is None


@pytest.mark.parametrize(
    "header",
    [
        b"\x05\x00\x03\x01\x02\x03",
        b"\x05\x00\x03\x01\x00\x00",
        b"\x05\x00\x03\x01\x01\x01",
        b"\x03\x01\x01\x00",
        b"\x04\x00",
    ],
)
def test_a_header_that_joins_nothing_is_taken_off(header):
    said = _part("1", 1, 2, b"")
    said = msgspec.structs.replace(said, text=header + b"text")
    place, octets = smpp_joined.split(said)
    assert place is None
    assert octets == (header + b"text")[1 + header[0] :]


@pytest.mark.parametrize(
    ("coding", "octets", "text"),
    [
        (0, b"\x1b\x65", "€"),
        (1, b"a", "a"),
        (3, b"\xe9", "é"),
        (8, b"\x04\x4a", "ъ"),
        (4, b"a", None),
        (2, b"a", None),
        (0x08 | 0x10, b"\x04\x4a", "ъ"),
        (0xF0, b"\0", "@"),
        (0xF4, b"\0", None),
        (0xE0, b"\x04\x4a", "ъ"),
        (0xC8, b"\0", "@"),
        (0x0E, b"a", None),
    ],
)
def test_the_alphabets_of_data_coding(coding, octets, text):
    assert smpp_text.decoded(octets, coding, "gsm") == text


def test_the_two_gsm_tables_were_typed_alike():
    for char, octets in sms._CODES.items():
        assert twin_text.read(octets, n.GSM) == char


# ── ids ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@given(number=st.integers(0, 2**64), width=st.integers(0, 16), upper=st.booleans())
def test_an_id_is_found_however_it_comes_back(number, width, upper):
    in_hex = f"{number:0{width}{'X' if upper else 'x'}}"
    for base in ("auto", "hex-decimal"):
        ids = smpp_ids.Ids(base)
        assert ids.called(str(number)) in ids.names((in_hex,))
    for base in ("auto", "decimal-hex"):
        ids = smpp_ids.Ids(base)
        assert ids.called(in_hex) in ids.names((str(number),))
    for base in ("auto", "same"):
        ids = smpp_ids.Ids(base)
        assert ids.called(in_hex) in ids.names((in_hex,))


@given(given_ids=st.lists(st.integers(0, 2**40).map("{:X}".format), min_size=1, max_size=6, unique=True))
def test_the_ids_as_they_came_are_found_again(given_ids):
    for base in ("same", "auto", "hex-decimal"):
        assert smpp_ids.as_given(smpp_ids.names(given_ids, base)) == tuple(given_ids)


def test_ids_that_are_no_numbers_stay_as_they_are():
    assert smpp_ids.names(("0x1-Ab", "a1b2-c3"), "auto") == ("0x1-Ab", "a1b2-c3")
    assert smpp_ids.Ids("auto").called("A1b2-C3") == "A1b2-C3"


def test_the_base_is_learned_from_receipts_that_agree():
    ids = smpp_ids.Ids("auto")
    for at in range(smpp_ids.SURE):
        ids.names((f"{0xA000 + at:X}",))
        ids.called(str(0xA000 + at))
    assert ids.base == "hex-decimal"
    assert ids.names(("B000",)) == ("B000", "45056")


# ── receipts ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "id", "state", "err"),
    [
        (
            b"id:0123456789 sub:001 dlvrd:001 submit date:2611251200 done date:2611251201 stat:DELIVRD err:000 text:hi",
            "0123456789",
            AttemptState.DELIVERED,
            "000",
        ),
        (b"ID:a-b_c STAT:undeliv ERR:0x1F Text:stat:DELIVRD", "a-b_c", AttemptState.FAILED, "0x1F"),
        (b"id: 77 stat: EXPIRED", "77", AttemptState.EXPIRED, ""),
        (b"stat:ACCEPTED id:9", "9", AttemptState.SENT, ""),
        (b"id:1 stat:NEWWORD", "1", None, ""),
        (b"", "", None, ""),
    ],
)
def test_the_text_of_a_receipt(text, id, state, err):
    read = smpp_receipts.read(text, {}, errors={}, zone="UTC")
    assert (read.id, read.state, read.err) == (id, state, err)


def test_parameters_take_precedence():
    optional = {
        n.TLV_RECEIPTED_MESSAGE_ID: b"AB12\0",
        n.TLV_MESSAGE_STATE: b"\x05",
        n.TLV_NETWORK_ERROR_CODE: b"\3\0\6",
    }
    read = smpp_receipts.read(b"id:1 stat:DELIVRD", optional, errors={}, zone="UTC")
    assert (read.id, read.stat, read.state, read.reason, read.err) == (
        "AB12",
        "UNDELIV",
        AttemptState.FAILED,
        "cannot_reach",
        "3/6",
    )
    read = smpp_receipts.read(b"", {n.TLV_MESSAGE_STATE: b"\x09"}, errors={}, zone="UTC")
    assert (read.stat, read.state) == ("STATE 9", None)


def test_the_time_of_a_receipt_is_by_the_centres_clock():
    text = b"id:1 done date:2611251201 stat:DELIVRD"
    at = smpp_receipts.read(text, {}, errors={}, zone="Europe/Berlin").at
    assert at == datetime(2026, 11, 25, 11, 1, tzinfo=UTC).timestamp() * 1000
    assert smpp_receipts.moment("261125120130", "UTC") == at + 3_630_000
    assert smpp_receipts.moment("2613251201", "UTC") is None


@pytest.mark.parametrize(
    ("ton", "address", "number"),
    [
        (1, "12025550123", "+12025550123"),
        (0, "12025550123", "+12025550123"),
        (0, "24242", "24242"),
        (2, "02025550123", "02025550123"),
        (5, "ACME", "ACME"),
        (1, "+12025550123", "+12025550123"),
    ],
)
def test_numbers_as_they_come(ton, address, number):
    assert smpp_inbound.number(ton, address) == number


# ── times and settings ──────────────────────────────────────────────────────────────────────────────────────────────


@given(seconds=st.integers(1, 40 * 86_400), form=st.sampled_from(("relative", "absolute")))
def test_the_centre_reads_our_validity_period(seconds, form):
    written = smpp_pdu.validity(form, NOW, NOW + seconds * 1000)
    assert len(written) == 16
    assert validity(written.decode(), NOW) == NOW + min(seconds, 30 * 86_400) * 1000
    assert smpp_pdu.validity("none", NOW, NOW + 1) == b""


def test_a_local_time_is_read_with_its_offset():
    assert validity("261125120000004+", NOW) == validity("261125110000000+", NOW) == validity("261125100000004-", NOW)
    assert validity("", NOW) is None
    assert validity("269925120000000+", NOW) is None


@pytest.mark.parametrize(
    ("address", "ton", "npi"),
    [("ACME", 5, 0), ("+12025550123", 1, 1), ("12025550123", 1, 1), ("24242", 3, 0), ("", 0, 0)],
)
def test_the_type_of_the_source_is_told_by_its_looks(address, ton, npi):
    settings = smpp.Settings(host="h", system_id="s", address=address)
    assert (settings.ton, settings.npi) == (ton, npi)
    settings = smpp.Settings(host="h", system_id="s", address=address, address_ton=2, address_npi=8)
    assert (settings.ton, settings.npi) == (2, 8)


@pytest.mark.parametrize(
    "changes",
    [
        {"host": ""},
        {"system_id": ""},
        {"system_id": "x" * 16},
        {"password": "123456789"},
        {"port": 0},
        {"address": "TWELVE CHARS"},
        {"address": "Ärger"},
        {"window": 0},
        {"binds": 17},
        {"long": "tape"},
        {"validity": "maybe"},
        {"throughput": -1.0},
        {"response_timeout": 0.0},
        {"reconnect_most": 0.1},
        {"errors": {"1": "no such reason"}},
        {"zone": "Mars/Olympus"},
        {"message_id_base": "octal"},
        {"enquire": 1},
    ],
)
def test_settings_that_cannot_be(changes):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"host": "smsc.example", "system_id": "acme", **changes}, smpp.Settings)


def test_what_a_content_is_held_to():
    assert smpp.check(Text(text="fine")) == []
    assert "at least one character" in smpp.check(Text(text=""))[0]
    assert "suggestions" in smpp.check(Text(text="x", suggestions=(Reply(text="y"),)))[0]
    assert "is a text" in smpp.check(Card(card=CardBody(title="x")))[0]
    assert "300 parts" in smpp.check(Text(text="x" * 153 * 300))[0]
    assert smpp.measure(Text(text="ъ" * 71)).parts == 2
    assert smpp.measure(Card(card=CardBody(title="x"))).parts == 1


def test_the_header_is_four_words():
    assert smpp_pdu.pdu(0x15, 0, 9) == struct.pack(">4I", 16, 0x15, 0, 9)


def test_the_longest_answer_can_be_sent_whatever_it_says():
    assert smpp.check(Text(text="→" * smpp.LONGEST)) == []
    assert smpp.measure(Text(text="→" * smpp.LONGEST)).parts == 24
