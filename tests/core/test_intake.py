"""A call held against its site: the alert that comes of it, or every fault at once."""

import msgspec
import pytest

from heliograph.core.alert import Alert
from heliograph.core.intake import LONGEST_LIFE, hold
from heliograph.core.site import Kind, Team
from heliograph.core.template import TemplateState, compile
from heliograph.errors import FieldFaults

NOW = 1_764_000_000_000
replace = msgspec.structs.replace


@pytest.fixture
def held(request_of_the_page, site, flightdelay):
    """Holds the page's call with changes: to the call, to the site (`of_site`), to the template (`of_template`)."""

    def hold_it(of_site=None, of_template=None, channels=frozenset({"rcs"}), **changes):
        compiled = compile(replace(flightdelay, **(of_template or {})))
        return hold(
            replace(request_of_the_page, **changes),
            replace(site, **(of_site or {})),
            lambda name: (compiled,) if name == "flightdelay" else (),
            channels,
            id="0198",
            now=NOW,
            names=lambda: ["flightdelay", "Welcome"],
        )

    return hold_it


@pytest.fixture
def faults(held):
    def of(**changes):
        with pytest.raises(FieldFaults) as caught:
            held(**changes)
        return caught.value.fields

    return of


def test_the_pages_own_call(held, request_of_the_page, flightdelay):
    ready = held()
    assert ready.alert == Alert(
        id="0198",
        site="25508804",
        created=NOW,
        expires=NOW + 86_400_000,
        recipient="+17703101414",
        template="flightdelay",
        template_version="2",
        language="en",
        language_asked="english",
        variables={"Time": "7:35 pm", "City": "Kansas City", "Gate": "C35"},
        skill="service",
        version_tag="1",
        external_alert_id="1265168451",
        external_customer_id="123",
        external_customer_id_descriptor="VIP",
        first_name="Matt",
        last_name="Fanning",
        alert_info=request_of_the_page.alert_info,
        key="ck",
    )
    assert ready.template.template == flightdelay
    assert ready.language == "en"
    content = ready.template.render("en", "rcs", ready.alert.variables)
    assert content.card.description == "Your flight to Kansas City leaves at 7:35 pm from gate C35."


def test_every_fault_at_once(faults):
    told = faults(
        of_site={"strict": True},
        skill="marketing",
        country_code="",
        phone="12",
        external_customer_id="",
        channel="pigeon",
        template="flightdealy",
        language="englsh",
        variables={"@Gate": "1", "Gate": "2"},
        time_to_live=0,
    )
    assert told == {
        "skill": "The skill 'marketing' is not on the site's list; it has service, sales.",
        "country_code": "The country code is missing; send the calling code, such as 1.",
        "external_customer_id": (
            "The external customer id is missing and its descriptor is there; the two must be passed together."
        ),
        "channel": "The channel 'pigeon' is not known; send one of rcs, sms, text, wa, whatsapp, or none.",
        "template": "The site has no template 'flightdealy'. Did you mean flightdelay?",
        "language": (
            "The language 'englsh' is not known. Did you mean english? Send a word such as english or spanish, a tag "
            "such as en or pt-BR, or a locale such as en_US."
        ),
        "variables": "The variable 'Gate' comes twice, with and without @, with two values.",
        "time_to_live": "The time to live is 0 seconds; send 1 or more, or leave it out.",
    }


def test_an_empty_call_names_every_required_field(faults):
    told = faults(
        skill=" ", country_code="1", phone="", template="", language="", variables={}, external_customer_id=""
    )
    assert set(told) == {"skill", "phone", "template", "language"}
    assert all("missing" in sentence for sentence in told.values())


def test_missing_variables(faults):
    assert faults(variables={"City": "Kansas City", "gate": "C35"}) == {
        "variables": "Template flightdelay (version 2, en) needs @Gate and @Time, which the call does not send. "
        "It sends @gate for @Gate: upper and lower case count."
    }
    told = faults(variables={"City": "x", "@City": "y"})["variables"]
    assert "comes twice" in told and "needs @Gate and @Time" in told


def test_variables_with_and_without_their_sign(held):
    ready = held(variables={"@Time": "7", "City": "x", "@Gate": "1", "Gate": "1"})
    assert ready.alert.variables == {"Time": "7", "City": "x", "Gate": "1"}


def test_a_variable_that_is_not_declared_is_noted(held):
    ready = held(variables={"Time": "7", "City": "x", "Gate": "1", "@Row": "9"})
    assert ready.alert.variables["Row"] == "9"
    assert ready.alert.notes == ("variables that the template does not declare: @Row",)


def test_defaults_of_the_site(held, faults):
    ready = held(of_site={"default_skill": "service", "default_language": "es"}, skill="", language="")
    assert (ready.alert.skill, ready.alert.language, ready.alert.language_asked) == ("service", "es", "")
    assert ready.alert.notes == ("language es: es is used, as the site's default, the call names none",)
    assert set(faults(of_site={"default_skill": "gone"}, skill="")) == {"skill"}


def test_any_skill_where_the_site_has_no_list(held):
    assert held(of_site={"skills": ()}, skill="anything").alert.skill == "anything"


@pytest.mark.parametrize(
    ("written", "channel"),
    [("", ""), ("rcs", "rcs"), ("WhatsApp", "wa"), (" wa ", "wa"), ("text", "sms"), ("fax", "fax")],
)
def test_channels_by_every_name(held, written, channel):
    """`wa` is right although its folder is not installed: it cannot reach anybody, which is another answer."""
    assert held(channel=written, channels=frozenset({"rcs", "fax"})).alert.channel_forced == channel


def test_id_and_descriptor(held, faults):
    assert set(faults(external_customer_id_descriptor="")) == {"external_customer_id_descriptor"}
    ready = held(external_customer_id="")
    assert ready.alert.external_customer_id_descriptor == "VIP"
    assert ready.alert.notes == ("a descriptor came without an external customer id: it describes nothing",)
    assert set(faults(of_site={"strict": True}, external_customer_id="")) == {"external_customer_id"}
    assert held(external_customer_id="", external_customer_id_descriptor="").alert.notes == ()


def test_a_tag_that_matches_nothing_is_kept_and_noted(held):
    alert = held(version_tag="campaign-7").alert
    assert (alert.version_tag, alert.template_version) == ("campaign-7", "2")
    assert alert.notes == ("no published version carries the tag 'campaign-7': version 2 is used",)


def test_a_template_without_a_published_version(faults):
    told = faults(of_template={"state": TemplateState.DRAFT})
    assert told == {"template": "Template flightdelay has no published version; it has 2 (draft). Publish one."}


def test_names_of_templates_that_are_near_or_not(faults):
    assert faults(template="welcome")["template"].endswith("Did you mean Welcome?")
    assert faults(template="zzz")["template"] == "The site has no template 'zzz'. Check its name."
    assert len(faults(template="z" * 100_000)["template"]) < 120


def test_a_language_that_the_template_lacks(held, faults):
    ready = held(language="fr_CA")
    assert (ready.alert.language, ready.language) == ("en", "en")
    assert ready.alert.notes == ("language fr-CA: en is used, the template's fallback",)
    assert faults(language="fr", of_template={"fallback_language": None}) == {
        "language": "Template flightdelay (version 2) has no fr and no fallback language; it has en, es."
    }


@pytest.mark.parametrize(
    ("call", "template", "site_s", "seconds"),
    [
        (None, None, 86_400, 86_400),
        (None, 3_600, 86_400, 3_600),
        (60, 3_600, 86_400, 60),
        (1, None, 86_400, 1),
        (10**9, None, 86_400, LONGEST_LIFE),
        (None, None, 90 * 86_400, LONGEST_LIFE),
    ],
)
def test_time_to_live(held, call, template, site_s, seconds):
    alert = held(time_to_live=call, of_template={"time_to_live": template}, of_site={"time_to_live": site_s}).alert
    assert alert.expires - alert.created == seconds * 1000
    assert any("shortened to 1296000 s" in note for note in alert.notes) == (seconds == LONGEST_LIFE)


def test_what_came_with_the_call_is_kept(held):
    alert = held(unknown=("colour",), notes=("customerCountryCode was a number",)).alert
    assert alert.unknown == ("colour",)
    assert alert.notes == ("customerCountryCode was a number",)


def test_a_team_key_sends_to_the_team_alone(held, faults):
    team = Team(recipients=("+17703101414",))
    assert not held({"team": team}, kind=Kind.TEAM).alert.test
    told = faults(of_site={"team": team}, phone="7703101415", kind=Kind.TEAM)
    assert set(told) == {"phone"}
    assert "[team] recipients" in told["phone"] and "770" not in told["phone"]
    assert faults(kind=Kind.TEAM)  # a site without a team has nobody for such a key


def test_what_a_test_key_sends_is_marked(held):
    assert held(kind=Kind.TEST).alert.test
    assert not held(kind=Kind.LIVE).alert.test


def test_no_sentence_holds_the_number_or_a_value(faults):
    told = faults(phone="770310141499", variables={"Gate": "SECRET"})
    assert set(told) == {"phone", "variables"}
    assert not any("770310141499" in sentence or "SECRET" in sentence for sentence in told.values())
