"""Phone numbers: what a caller wrote as country code and number → E.164, or a sentence why not.

The bar is "possible", not "valid": the length must fit the country code and the result must carry that code. Numbers
in ranges that the metadata does not know yet, and reserved ones (+1 202 555 01xx), are taken: refusing them breaks
sandboxes, and new ranges on the day they open. What is *valid* is used only to choose between two readings.
phonenumbers takes 24 µs; answers are kept in a bounded cache (0.1 µs).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import msgspec
import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumber, PhoneNumberFormat, PhoneNumberType, ValidationResult, timezone

# E.164 has 15 digits at most; with spaces, brackets and prefixes nobody needs more than this.
LONGEST = 40
ERASED = "erased:"  # what stands before the keyed hash of a number that was erased (core.optout)

_SEPARATORS = re.compile(r"[\s()\[\]/.,~‐-―−ー·•_-]+")
_NON_GEOGRAPHIC = "001"  # phonenumbers' name for +800, +870, +881 …
_MAY_BE_MOBILE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)


class PhoneFault(msgspec.Struct, frozen=True, kw_only=True):
    """Why it is no number: `field` is `country_code` or `phone`. The sentence never holds the number."""

    field: str
    sentence: str


def parse(country_code: str, number: str) -> str | PhoneFault:
    """The number in E.164 (+17703101414).

    `country_code`: 1, +1, 001; a code with its area (1-684, 44-1481), as country lists print it, is understood.
    `number` is read as a national number of the code's region first (spaces, brackets, dashes, a trunk zero; Italy
    keeps its zero), then as one that repeats the country code or is E.164 already. A number of another country code
    is a fault, never sent. Source: livedeflect.md, "What callers send that the page does not say".
    """
    if len(number) > LONGEST:  # before the cache, so that it holds nothing long
        sentence = f"The phone number is {len(number)} characters, the longest that is read is {LONGEST}."
        return PhoneFault(field="phone", sentence=sentence)
    return _parse(country_code[:LONGEST], number)


def international(number: str) -> str | PhoneFault:
    """A number that brings its country code (+1 770 310 1414, 001…) in E.164."""
    code = calling_code(number)
    if code:
        return parse(code, number)
    sentence = "The phone number does not begin with a country code; write it with a plus, as in +12025550123."
    return PhoneFault(field="phone", sentence=sentence)


def calling_code(number: str) -> str:
    """The calling code that a number begins with, where it is written with a plus or 00; empty otherwise."""
    written = _SEPARATORS.sub("", _plain(number[:LONGEST]).removeprefix("tel:"))
    digits = written.removeprefix("+") if written[:1] == "+" else written[2:] if written[:2] == "00" else ""
    codes = (digits[:length] for length in (1, 2, 3) if digits.isascii() and digits[:length].isdigit())
    return next((code for code in codes if int(code) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE), "")


@lru_cache(maxsize=16_384)
def _parse(country_code: str, number: str) -> str | PhoneFault:
    code = _code(country_code)
    if isinstance(code, PhoneFault):
        return code
    calling, area, apart = code
    cleaned = _clean(number)
    if isinstance(cleaned, PhoneFault):
        return cleaned
    found = _read(calling, cleaned)
    if isinstance(found, PhoneFault) and area:
        # "1-684" with a number of seven digits: the area stands in the code alone.
        whole = _read(calling, area + cleaned.lstrip("+"))
        found = found if isinstance(whole, PhoneFault) else whole
    if isinstance(found, PhoneFault):
        return found
    if area and not apart and not phonenumbers.national_significant_number(found).startswith(area):
        return _no_such_code(f"{calling}{area}")
    return phonenumbers.format_number(found, PhoneNumberFormat.E164)


def _code(text: str) -> tuple[int, str, bool] | PhoneFault:
    """The calling code, the area written behind it ("" if none), and whether something stood between the two."""
    written = _plain(text)
    if not written:
        sentence = "The country code is missing; send the calling code, such as 1."
        return PhoneFault(field="country_code", sentence=sentence)
    digits = _SEPARATORS.sub("", written).removeprefix("+").lstrip("0")
    if not (digits.isascii() and digits.isdigit()):
        shown = written if len(written) <= 12 else written[:11] + "…"
        code = phonenumbers.country_code_for_region(written.upper()) if len(written) == 2 else 0
        hint = f"send {code}" if code else "send digits such as 1 (USA) or 44 (United Kingdom)"
        return PhoneFault(field="country_code", sentence=f"The country code {shown!r} is not a calling code; {hint}.")
    for length in (1, 2, 3):  # no calling code begins with another one
        calling = int(digits[:length])
        if calling in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            return calling, digits[length:], _SEPARATORS.search(written) is not None
    return _no_such_code(digits)


def _no_such_code(digits: str) -> PhoneFault:
    sentence = f"No country has the calling code {digits[:8]}; send one such as 1 (USA) or 44 (United Kingdom)."
    return PhoneFault(field="country_code", sentence=sentence)


def _plain(text: str) -> str:
    """Without the invisible marks that come along when a number is copied from a contact (U+202A, U+200E, U+FEFF), and
    with every script's digits and plus as ASCII."""
    if text.isascii():
        return text.strip()
    return unicodedata.normalize("NFKC", "".join(c for c in text if unicodedata.category(c) != "Cf")).strip()


def _clean(number: str) -> str | PhoneFault:
    """ASCII digits, with a plus before them where one was written."""
    written = _SEPARATORS.sub("", _plain(number).removeprefix("tel:"))
    if not written:
        sentence = "The phone number is missing; send it with or without its country code."
        return PhoneFault(field="phone", sentence=sentence)
    digits = written.removeprefix("+")
    if not digits.isascii():
        digits = "".join(str(unicodedata.digit(c, "?")) for c in digits)
    if not digits.isdigit():
        sentence = (
            "The phone number holds characters that are not part of one; send digits, with spaces, brackets or dashes "
            "if you like, and no extension."
        )
        return PhoneFault(field="phone", sentence=sentence)
    if written.startswith("+0"):
        sentence = "The phone number has a plus before a zero, and no country code begins with 0; leave out the plus."
        return PhoneFault(field="phone", sentence=sentence)
    return "+" + digits if written[0] == "+" else digits


def _read(calling: int, cleaned: str) -> PhoneNumber | PhoneFault:
    """The best reading of the digits as a number of this calling code.

    The national reading goes first. The one exception: where both are valid, and only the one with the repeated code
    can be a mobile, that one is meant. (49 + 4915112345678: libphonenumber takes the national 4915112345678 for a
    landline that could be; nobody means it, and who gets it is not who was called.)
    """
    region = phonenumbers.region_code_for_country_code(calling)
    written_abroad = cleaned.startswith(("+", "00"))
    digits = cleaned.removeprefix("+").removeprefix("00")
    national = repeated = None
    if not cleaned.startswith("+"):
        national = _parsed(f"+{calling}{cleaned}" if region == _NON_GEOGRAPHIC else cleaned, region, calling)
    if written_abroad or digits.startswith(str(calling)):
        repeated = _parsed("+" + digits, region, calling)
    readings = [reading for reading in (national, repeated) if reading is not None]
    valid = [reading for reading in readings if phonenumbers.is_valid_number(reading)]
    if valid:
        return next((r for r in valid if phonenumbers.number_type(r) in _MAY_BE_MOBILE), valid[0])
    for reading in readings:
        possible = phonenumbers.is_possible_number_with_reason(reading) == ValidationResult.IS_POSSIBLE
        if possible and not _breaks_the_plan(reading):
            return reading
    return _fault(calling, readings, digits)


def _parsed(text: str, region: str, calling: int) -> PhoneNumber | None:
    """As libphonenumber reads it, if that is a number of this calling code."""
    try:
        found = phonenumbers.parse(text, None if region == _NON_GEOGRAPHIC else region)
    except phonenumbers.NumberParseException:
        return None
    return found if found.country_code == calling else None


def _breaks_the_plan(number: PhoneNumber) -> bool:
    """No area code of the North American plan begins with 0 or 1: not a range that may open, only a slip."""
    return number.country_code == 1 and phonenumbers.national_significant_number(number)[0] in "01"


def _fault(calling: int, readings: list[PhoneNumber], digits: str) -> PhoneFault:
    other = _anybody("+" + digits)
    if other is not None and other.country_code != calling and phonenumbers.is_valid_number(other):
        theirs = other.country_code
        sentence = f"The phone number has the country code {theirs}, the call says {calling}; mend one of them."
        return PhoneFault(field="phone", sentence=sentence)
    region = phonenumbers.region_code_for_country_code(calling)
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(calling, region)
    general = metadata.general_desc if metadata else None
    lengths = sorted(n for n in (general.possible_length if general else ()) if n > 0)
    have = len(phonenumbers.national_significant_number(readings[0])) if readings else len(digits)
    if not lengths or have in lengths:
        sentence = f"The phone number cannot exist in country code {calling}; send the whole number."
    else:
        why = "is too short" if have < lengths[0] else "is too long" if have > lengths[-1] else "has a wrong length"
        sentence = (
            f"The phone number {why}: {have} {'digit' if have == 1 else 'digits'} without the country code; "
            f"numbers of country code {calling} have {_listed(lengths)}."
        )
    return PhoneFault(field="phone", sentence=sentence)


def _anybody(e164: str) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return None


def _listed(lengths: list[int]) -> str:
    if len(lengths) > 2 and lengths[-1] - lengths[0] == len(lengths) - 1:
        return f"{lengths[0]} to {lengths[-1]}"
    return " or ".join(str(n) for n in lengths)


def mask(e164: str) -> str:
    """For pages and logs: the calling code and the last four digits ("+1•••••••1414" has as many signs as digits). Of
    somebody who was erased, the beginning of the hash."""
    if e164.startswith(ERASED):
        return f"erased {e164[len(ERASED) :][:6]}"
    code = _code("+" + e164[1:4]) if e164.startswith("+") else None
    head = "" if code is None or isinstance(code, PhoneFault) else f"+{code[0]}"
    tail = e164[-4:] if len(e164) - len(head) > 6 else ""
    return head + "•" * (len(e164) - len(head) - len(tail)) + tail


@lru_cache(maxsize=16_384)
def zone_of(e164: str) -> tuple[str, ...]:
    """The IANA zones in which the number may ring: one for most landlines, several for mobiles, none if not known."""
    found = _anybody(e164)
    zones = timezone.time_zones_for_number(found) if found is not None else ()
    return tuple(zone for zone in zones if zone != timezone.UNKNOWN_TIMEZONE)


@lru_cache(maxsize=16_384)
def region(e164: str) -> str:
    """The ISO 3166 region of the number (US, CA …); "" if it cannot be told."""
    found = _anybody(e164)
    if found is None:
        return ""
    code = found.country_code or 0
    return phonenumbers.region_code_for_number(found) or phonenumbers.region_code_for_country_code(code)


def preload() -> None:
    """Load the metadata of every region (35 ms), so that the first call to a country does not wait 2.5 ms for it."""
    for name in phonenumbers.SUPPORTED_REGIONS:
        PhoneMetadata.metadata_for_region(name)
    for code in phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS:
        PhoneMetadata.metadata_for_nongeo_region(code)
    zone_of("+17703101414")
