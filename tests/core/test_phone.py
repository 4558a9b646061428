"""Every way in which callers write a number gives the same E.164, or a sentence that says what is wrong."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from heliograph.core import phone
from heliograph.core.phone import PhoneFault


@pytest.mark.parametrize(
    ("code", "number", "e164"),
    [
        ("1", "7703101414", "+17703101414"),  # the source document's own
        ("+1", "(770) 310-1414", "+17703101414"),
        ("001", "770.310.1414", "+17703101414"),
        (" 1 ", " 770 310 1414 ", "+17703101414"),
        ("1", "17703101414", "+17703101414"),
        ("1", "1-770-310-1414", "+17703101414"),
        ("1", "+17703101414", "+17703101414"),
        ("1", "0017703101414", "+17703101414"),
        ("1", "tel:+1-770-310-1414", "+17703101414"),
        ("1", "\u202a+1 770 310 1414\u202c", "+17703101414"),  # copied from a contact
        ("1", "٧٧٠٣١٠١٤١٤", "+17703101414"),
        ("+1", "７７０３１０１４１４", "+17703101414"),
        ("61", "0400111222", "+61400111222"),
        ("61", "400111222", "+61400111222"),
        ("61", "61400111222", "+61400111222"),
        ("61", "610400111222", "+61400111222"),
        ("61", "+61 (0)400 111 222", "+61400111222"),
        ("44", "+44 (0)20 7946 0958", "+442079460958"),
        ("39", "06 698 12345", "+390669812345"),  # Italy keeps its zero
        ("39", "0039 06 69812345", "+390669812345"),
        ("39", "3912345678", "+393912345678"),  # national, although it begins with the code
        ("7", "8 (912) 345-67-89", "+79123456789"),
        ("7", "7012345678", "+77012345678"),  # Kazakhstan shares +7
        ("1", "8763101414", "+18763101414"),  # Jamaica shares +1
        ("44", "01481960194", "+441481960194"),  # Guernsey shares +44
        ("225", "0123456789", "+2250123456789"),
        ("800", "12345678", "+80012345678"),
        ("49", "4915112345678", "+4915112345678"),  # not the landline 04915 112345678 that could be
        ("1-684", "6331234", "+16846331234"),  # codes as country lists print them
        ("1-684", "(684) 633-1234", "+16846331234"),
        ("1684", "684 633 1234", "+16846331234"),
        ("44-1481", "07781 123456", "+447781123456"),
        ("1", "2025550123", "+12025550123"),  # reserved for fiction and tests
        ("1", "5550100123", "+15550100123"),  # valid nowhere, and possible
    ],
)
def test_what_callers_write(code, number, e164):
    assert phone.parse(code, number) == e164


@pytest.mark.parametrize(
    ("code", "number", "field", "words"),
    [
        ("", "7703101414", "country_code", "is missing"),
        ("US", "7703101414", "country_code", "'US' is not a calling code; send 1."),
        ("one", "7703101414", "country_code", "send digits such as 1 (USA)"),
        ("999", "7703101414", "country_code", "No country has the calling code 999"),
        ("0", "7703101414", "country_code", "calling code"),
        ("12", "7703101414", "country_code", "No country has the calling code 12;"),
        ("9" * 50, "7703101414", "country_code", "No country has the calling code 99999999;"),
        ("1", "", "phone", "is missing"),
        ("1", " - ", "phone", "is missing"),
        ("1", "12345", "phone", "too short: 5 digits without the country code; numbers of country code 1 have 10."),
        ("1", "770310141", "phone", "too short: 9 digits"),
        ("1", "77031014145", "phone", "too long: 11 digits"),
        ("1", "0000000000", "phone", "cannot exist in country code 1"),
        ("1", "1234567890123", "phone", "numbers of country code 1 have 10."),
        ("1", "770-FLOWERS", "phone", "no extension"),
        ("1", "7703101414 ext 5", "phone", "no extension"),
        ("1", "7703101414;7703101415", "phone", "characters"),
        ("1", "+", "phone", "characters"),
        ("1", "7" * 41, "phone", "41 characters, the longest that is read is 40."),
        ("1", "+442079460958", "phone", "has the country code 44, the call says 1"),
        ("1", "00442079460958", "phone", "has the country code 44, the call says 1"),
        ("1", "442079460958", "phone", "has the country code 44, the call says 1"),
        ("61", "+0400111222", "phone", "a plus before a zero"),
    ],
)
def test_what_is_no_number(code, number, field, words):
    fault = phone.parse(code, number)
    assert isinstance(fault, PhoneFault)
    assert fault.field == field
    assert words in fault.sentence


@given(st.text(max_size=60), st.text(max_size=60) | st.from_regex(r"[+0-9 ()-]{0,24}", fullmatch=True))
def test_any_text_gives_a_number_or_a_sentence_without_it(code, number):
    told = phone.parse(code, number)
    if isinstance(told, PhoneFault):
        digits = "".join(c for c in number if c.isdecimal())
        assert len(digits) < 6 or digits not in told.sentence
    else:
        assert told[0] == "+"
        assert told[1:].isascii() and told[1:].isdigit() and len(told) <= 18


KINDS = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE)
EXAMPLES = [
    (region, number)
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    for kind in KINDS
    if (number := phonenumbers.example_number_for_type(region, kind)) is not None
]


def _e164(number):
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


@pytest.mark.parametrize(
    ("region", "number"), EXAMPLES, ids=[f"{region}-{n}" for n, (region, _) in enumerate(EXAMPLES)]
)
def test_example_numbers_of_every_region(region, number):
    code, e164 = str(number.country_code), _e164(number)
    international = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    for country_code in (code, f"+{code}", f"00{code}"):
        assert phone.parse(country_code, international) == e164
        assert phone.parse(country_code, e164) == e164
        assert phone.parse(country_code, "00" + e164[1:]) == e164
        assert phone.parse(country_code, phonenumbers.national_significant_number(number)) == e164
    if phonenumbers.region_code_for_country_code(number.country_code) == region:
        # Elsewhere a trunk prefix is another region's: the code says the main region alone.
        assert phone.parse(code, phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)) == e164
    repeated = phone.parse(code, e164[1:])
    national = phonenumbers.parse(e164[1:], phonenumbers.region_code_for_country_code(number.country_code))
    if repeated != e164:
        # Only where libphonenumber itself takes code and number together for a national number.
        assert phonenumbers.is_valid_number(national) and repeated == _e164(national)


@given(st.sampled_from(EXAMPLES), st.data())
def test_spaces_brackets_and_dashes_do_not_matter(example, data):
    _, number = example
    code, e164 = str(number.country_code), _e164(number)
    form = data.draw(st.sampled_from(["+{c}{n}", "00{c}{n}", "{n}"]))
    digits = form.format(c=code, n=phonenumbers.national_significant_number(number))
    noise = data.draw(st.lists(st.sampled_from(["", "", " ", "-", "(", ")", ".", "/", "\u00a0", "\u2011", "\u200e"])))
    written = "".join(mark + digit for mark, digit in zip((noise + [""] * 40)[: len(digits)], digits, strict=True))
    if len(written) <= phone.LONGEST:
        assert phone.parse(data.draw(st.sampled_from([code, f"+{code}", f"00{code}", f" {code} "])), written) == e164


@given(st.sampled_from(EXAMPLES), st.sampled_from(["1", "44", "49", "7", "91", "39", "61", "800"]))
def test_a_number_of_another_code_is_never_sent(example, code):
    _, number = example
    told = phone.parse(code, _e164(number))
    if number.country_code == int(code):
        assert told == _e164(number)
    else:
        assert isinstance(told, PhoneFault)


@pytest.mark.parametrize(
    ("e164", "shown"),
    [
        ("+17703101414", "+1••••••1414"),
        ("+4915112345678", "+49•••••••5678"),
        ("+35312345678", "+353••••5678"),
        ("+12", "+1•"),
        ("unknown", "•••nown"),
        ("", ""),
    ],
)
def test_masked(e164, shown):
    assert phone.mask(e164) == shown


def test_zones_and_regions():
    assert phone.zone_of("+17703101414") == ("America/New_York",)
    assert "Europe/London" in phone.zone_of("+447911123456")
    assert len(phone.zone_of("+79123456789")) > 5  # a Russian mobile rings anywhere
    assert phone.zone_of("+15550100123") == ()
    assert phone.zone_of("nonsense") == ()
    assert phone.region("+17703101414") == "US"
    assert phone.region("+18763101414") == "JM"
    assert phone.region("+15550100123") == "US"
    assert phone.region("nonsense") == ""


def test_preload_is_harmless():
    phone.preload()
    assert phone.parse("1", "7703101414") == "+17703101414"


@pytest.mark.parametrize("written", ["+1 202 555 0123", "0012025550123", "tel:+1-202-555-0123", "+1 (202) 555-0123"])
def test_a_number_that_brings_its_country_code(written):
    assert phone.international(written) == "+12025550123"


@pytest.mark.parametrize("written", ["2025550123", "", "+", "+9990000", "+1 202", "00", "hello"])
def test_a_number_that_does_not(written):
    told = phone.international(written)
    assert isinstance(told, phone.PhoneFault)
    assert "2025550123" not in told.sentence or "+12025550123" in told.sentence
