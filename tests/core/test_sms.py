"""SMS: the alphabets, the parts, and what would be cheaper."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.core import sms

# Written down a second time, by hand, so that a slip in the table shows: code → character (TS 23.038 §6.2.1).
SOME_CODES = {
    0x00: "@",
    0x01: "£",
    0x02: "$",
    0x09: "Ç",
    0x0A: "\n",
    0x0D: "\r",
    0x10: "Δ",
    0x11: "_",
    0x1A: "Ξ",
    0x1C: "Æ",
    0x1F: "É",
    0x20: " ",
    0x24: "¤",
    0x27: "'",
    0x30: "0",
    0x3F: "?",
    0x40: "¡",
    0x41: "A",
    0x5A: "Z",
    0x5B: "Ä",
    0x5E: "Ü",
    0x5F: "§",
    0x60: "¿",
    0x61: "a",
    0x7A: "z",
    0x7B: "ä",
    0x7D: "ñ",
    0x7F: "à",
}

GSM = st.text(
    alphabet=st.sampled_from(sms.decode_gsm7(bytes(code for code in range(128) if code != 0x1B)) + "^{}\\[~]|€")
)
ANY = st.text(alphabet=st.characters(codec="utf-8"), max_size=400)


@pytest.mark.parametrize(("code", "char"), SOME_CODES.items())
def test_a_character_has_its_code(code: int, char: str) -> None:
    assert sms.encode_gsm7(char) == bytes((code,))
    assert sms.decode_gsm7(bytes((code,))) == char


def test_the_alphabet_is_whole() -> None:
    whole = sms.decode_gsm7(bytes(code for code in range(128) if code != 0x1B))
    assert len(set(whole)) == 127
    assert sms.encode_gsm7("€[]") == bytes.fromhex("1b65 1b3c 1b3e")
    assert sms.decode_gsm7(b"\x1b\x00a\x1b") == " a"  # an unknown pair, and an escape with nothing behind it


@pytest.mark.parametrize(
    ("text", "parts", "encoding", "units", "forced_by"),
    [
        ("", 1, "GSM-7", 0, ""),
        ("Flight AA 1234 is late.", 1, "GSM-7", 23, ""),
        ("a" * 160, 1, "GSM-7", 160, ""),
        ("a" * 161, 2, "GSM-7", 161, ""),
        ("a" * 306, 2, "GSM-7", 306, ""),
        ("a" * 307, 3, "GSM-7", 307, ""),
        ("€" * 80, 1, "GSM-7", 160, ""),
        ("a" * 159 + "€", 2, "GSM-7", 161, ""),
        # 76 pairs fill 152 of the 153: the pair is not cut, so that 153 of them need a third part
        ("€" * 152, 2, "GSM-7", 304, ""),
        ("€" * 153, 3, "GSM-7", 306, ""),
        ("Itʼs late – sorry", 1, "UCS-2", 17, "ʼ"),
        ("ç", 1, "UCS-2", 1, "ç"),  # only the capital is in the alphabet
        ("ж" * 70, 1, "UCS-2", 70, "ж"),
        ("ж" * 71, 2, "UCS-2", 71, "ж"),
        ("ж" * 135, 3, "UCS-2", 135, "ж"),
        ("😀" * 35, 1, "UCS-2", 70, "😀"),
        ("😀" * 66, 2, "UCS-2", 132, "😀"),
        ("😀" * 67, 3, "UCS-2", 134, "😀"),
        ("tab\there", 1, "UCS-2", 8, "\t"),
        ("\x1b", 1, "UCS-2", 1, "\x1b"),  # the escape is no character of its own
    ],
)
def test_how_much_a_text_is(text: str, parts: int, encoding: str, units: int, forced_by: str) -> None:
    size = sms.measure(text)
    assert (size.parts, size.encoding, size.units, size.forced_by) == (parts, encoding, units, forced_by)


@given(ANY | GSM)
def test_the_parts_are_the_text(text: str) -> None:
    size = sms.measure(text)
    parts = sms.split(text)
    assert "".join(parts) == text
    assert len(parts) == size.parts
    most = sms.ALONE[size.encoding] if len(parts) == 1 else sms.JOINED[size.encoding]
    encoding, packed = sms.encoded(text)
    assert encoding == size.encoding
    widths = [len(part) if encoding == "GSM-7" else len(part) // 2 for part in packed]
    assert sum(widths) == size.units
    assert all(width <= most for width in widths)
    if len(parts) > 1:
        # no part is emptier than a pair that did not fit
        assert all(width >= most - 1 for width in widths[:-1])
        assert size.units > sms.ALONE[encoding]
        assert all(parts)


@given(ANY)
def test_no_pair_is_cut(text: str) -> None:
    encoding, packed = sms.encoded(text)
    for part, text_part in zip(packed, sms.split(text), strict=True):
        if encoding == "GSM-7":
            assert not part.endswith(b"\x1b")
            assert sms.decode_gsm7(part) == text_part
        else:
            assert part.decode("utf-16-be") == text_part  # a half of a pair would not decode


@given(GSM)
def test_gsm_comes_back(text: str) -> None:
    assert sms.measure(text).encoding == "GSM-7"
    assert sms.decode_gsm7(sms.encode_gsm7(text)) == text


@given(ANY)
def test_the_forcing_character_is_the_first(text: str) -> None:
    size = sms.measure(text)
    if size.forced_by:
        before = text[: text.index(size.forced_by)]
        assert sms.measure(before).encoding == "GSM-7"
        with pytest.raises(ValueError, match=r"U\+"):
            sms.encode_gsm7(text)
    else:
        sms.encode_gsm7(text)


def test_plain_characters_are_offered() -> None:
    assert sms.plain("It’s “late” – sorry…\u00a0Bye") == 'It\'s "late" - sorry... Bye'
    assert sms.plain("cafe\u0301") == "café"
    assert sms.plain("ç ж 😀") == "ç ж 😀"  # letters stay
    assert sms.plain("¥§€") == "¥§€"
    long = "It’s late. " + "a" * 80
    assert sms.cheaper(long) == long.replace("’", "'")
    assert sms.cheaper("It’s late.") is None  # one part either way
    assert sms.cheaper("a" * 200) is None


@given(ANY)
def test_plain_never_costs_more_characters_of_the_other_alphabet(text: str) -> None:
    once = sms.plain(text)
    assert sms.plain(once) == once
    if sms.measure(text).encoding == "GSM-7":
        assert sms.measure(once).encoding == "GSM-7"


def test_a_character_is_named() -> None:
    assert sms.said("’") == "’ (U+2019, RIGHT SINGLE QUOTATION MARK)"
    assert sms.said("\u00a0") == "(U+00A0, NO-BREAK SPACE)"
    assert sms.said("\x01") == "(U+0001, without a name)"
