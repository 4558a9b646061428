"""Site files: the example reads as the source document has it; every fault has its file, line and field."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import msgspec
import pytest

from heliograph import plugs, sitefiles
from heliograph.core.content import (
    Button,
    Card,
    Carousel,
    Dial,
    File,
    Media,
    Named,
    OpenUrl,
    Orientation,
    Parameter,
    Reply,
    Side,
    Text,
    suggestions_of,
)
from heliograph.core.fallback import Doubt, Fallback, Need, Overlap, Rule
from heliograph.core.preview import preview
from heliograph.core.site import Canned
from heliograph.core.template import compile
from heliograph.errors import SetupError

EXAMPLE = Path(__file__).parent.parent / "examples" / "acme-air"


@pytest.fixture
def environ(tmp_path):
    key = tmp_path / "key.json"
    key.write_text('{"client_email": "a@b.example"}')
    return {"ACME_RBM_AGENT": "acme", "ACME_RBM_KEY_FILE": str(key), "ACME_RBM_WEBHOOK_TOKEN": "token-1"}


@pytest.fixture
def folder(tmp_path):
    """A copy of the example, to be spoilt."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "acme"))


def found_plugs():
    return {(c.name, name): plug for c in plugs.channels().values() for name, plug in c.providers.items()}


def read(path, environ):
    return sitefiles.read(path, environ, found_plugs())


def faults(path, environ) -> list[str]:
    with pytest.raises(SetupError) as caught:
        read(path, environ)
    return caught.value.sentence.splitlines()[1:]


def spoil(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def template(tmp_path, environ, text: str):
    path = tmp_path / "one.toml"
    path.write_text('site = "1"\nname = "t"\nversion = "1"\nfallback_language = "en"\n' + text)
    return read(path, environ).templates[0]


# ── the example ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_example_is_the_source_documents_card(environ):
    wanted = read(EXAMPLE, environ)
    [site], [sender], [flightdelay, _], [picture] = wanted.sites, wanted.senders, wanted.templates, wanted.media
    assert (site.id, site.skills) == ("25508804", ("service",))
    assert (flightdelay.name, flightdelay.version, flightdelay.tags) == ("flightdelay", "1", ("1",))
    assert list(flightdelay.languages) == ["en", "es"]
    values = {"Time": "7:35 pm", "City": "Kansas City", "Gate": "C35"}
    card = compile(flightdelay).render("en", "rcs", values)
    assert isinstance(card, Card)
    assert (card.orientation, card.thumbnail_side) == (Orientation.VERTICAL, Side.RIGHT)
    assert card.card.title == "Tap to Select Desired Action"
    assert card.card.media is not None
    assert (card.card.media.height, card.card.media.upload) == ("tall", picture.digest)
    assert card.card.suggestions == (
        Reply(text="See Menu of Functions", postback="postback_data_Menu"),
        Reply(text="Learn More", postback="postback_data_LearnMore"),
    )
    assert all(value in card.card.description for value in values.values())
    assert (sender.channel, sender.provider, sender.settings["agent"]) == ("rcs", "google-rbm", "acme")
    left_out = [note.split("The sender ")[1] for note in wanted.notes if "The sender " in note]
    assert left_out == [f"{name} is left out, since `when` is empty." for name in ("acme-wa", "acme-sms", "acme-smpp")]


def test_the_examples_whatsapp_words_are_those_that_meta_approves(environ):
    """What the record and the preview show is what Meta's template says once it is filled."""
    [flightdelay] = [one for one in read(EXAMPLE, environ).templates if one.name == "flightdelay"]
    approved = [msgspec.json.decode(path.read_bytes()) for path in sorted((EXAMPLE / "whatsapp").glob("*.json"))]
    assert len(approved) == len(flightdelay.languages) == 2
    for document in approved:
        parts = {part["type"]: part for part in document["components"]}
        own = [channels["wa"] for channels in flightdelay.languages.values()]
        [named] = [one for one in own if (one.name, one.language) == (document["name"], document["language"])]
        said = parts["BODY"]["text"]
        for place, parameter in enumerate(named.body, 1):
            said = said.replace("{{" + str(place) + "}}", parameter.text)
        assert said == named.shown
        assert [button["text"] for button in parts["BUTTONS"]["buttons"]] == [one.text for one in named.suggestions]


def test_the_example_has_a_sender_for_what_the_environment_names(environ):
    environ |= {"ACME_WA_ACCESS_TOKEN": "t", "ACME_WA_PHONE_NUMBER_ID": "106540352242922"}
    environ |= {"ACME_TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "ACME_TWILIO_FROM": "+17705550100"}
    wanted = read(EXAMPLE, environ)
    assert [(one.channel, one.provider) for one in wanted.senders] == [
        ("rcs", "google-rbm"),
        ("wa", "whatsapp-cloud"),
        ("sms", "twilio"),
    ]
    assert "access_token" in wanted.secrets["25508804", "acme-wa"]


def test_every_language_and_channel_of_the_example_says_the_same(environ):
    one = next(one for one in read(EXAMPLE, environ).templates if one.name == "flightdelay")
    values = {"Time": "7:35 pm", "City": "Kansas City", "Gate": "C35"}
    found = plugs.channels()
    carriers = {name: list(channel.providers.values()) for name, channel in found.items()}
    seen = preview(compile(one), values, carriers)
    assert {(one.language, one.channel) for one in seen} == {
        (language, channel) for language in ("en", "es") for channel in ("rcs", "wa", "sms")
    }
    for shown in seen:
        offered = [suggestion.postback for suggestion in suggestions_of(shown.content)]
        assert offered[:2] == ["postback_data_Menu", "postback_data_LearnMore"]
        written = json.dumps(msgspec.to_builtins(shown.content), ensure_ascii=False)
        assert all(value in written for value in values.values())
        assert (shown.size.parts, shown.faults, shown.lost) == (1, (), ())
        assert shown.size.encoding in ("", "GSM-7")


def test_the_picture_is_small_and_is_what_it_says(environ):
    [picture] = read(EXAMPLE, environ).media
    assert picture.content_type == "image/jpeg"
    assert len(picture.data) < 150_000
    assert picture.digest == hashlib.sha256(picture.data).hexdigest()


def test_the_key_files_text_is_taken_and_named_secret(environ):
    wanted = read(EXAMPLE, environ)
    settings = wanted.senders[0].settings
    assert json.loads(str(settings["key"])) == {"client_email": "a@b.example"}
    assert "key_file" not in settings
    assert wanted.secrets["25508804", "acme-rcs"] == {"key", "webhook_token"}


def test_one_variable_points_the_example_at_another_stub(environ):
    settings = read(EXAMPLE, {**environ, "ACME_RBM_BASE_URL": "http://127.0.0.1:9"}).senders[0].settings
    assert settings["base_url"] == "http://127.0.0.1:9"
    assert read(EXAMPLE, environ).senders[0].settings["base_url"] == "https://rcsbusinessmessaging.googleapis.com"


def test_the_example_holds_no_secret():
    for path in EXAMPLE.rglob("*.toml"):
        for line in path.read_text().splitlines():
            if any(word in line for word in ("token =", "key_file =", "webhook_token =")):
                assert "${" in line, line


# ── faults ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_setting_has_its_providers_own_name_for_it(folder, environ):
    """`from` is Twilio's word, and no name that Python allows."""
    sender = (
        '\n[[sender]]\nname = "sms"\nchannel = "sms"\nprovider = "twilio"\n[sender.settings]\n'
        'account_sid = "AC1"\nauth_token = "t"\nfrom = "+17705550100"\n'
    )
    site = folder / "site.toml"
    site.write_text(site.read_text() + sender)
    told = read(folder, environ).senders[-1].settings
    assert told == {"account_sid": "AC1", "auth_token": "t", "from": "+17705550100"}
    spoil(site, "from =", "form =")
    assert any("has no form. Did you mean" in line and "from" in line for line in faults(folder, environ))


def test_every_fault_of_every_file_at_once(folder, environ):
    spoil(folder / "site.toml", 'skills = ["service"]', 'skills = "service"')
    spoil(folder / "site.toml", "agent =", "agnt =")
    spoil(
        folder / "templates/flightdelay.toml",
        'height = "tall", description = "Un',
        'height = "huge", description = "Un',
    )
    spoil(folder / "templates/flightdelay.toml", '{ reply = "Ver', '{ replay = "Ver')
    told = "\n".join(faults(folder, environ))
    assert 'skills is "service"; a list in brackets is needed' in told
    assert "Did you mean agent?" in told
    assert 'height is "huge"; one of' in told
    assert "this one has replay, postback. Did you mean reply?" in told


def test_a_fault_has_file_line_section(folder, environ):
    path = folder / "templates/flightdelay.toml"
    spoil(path, "[languages.es.rcs]", '[languages.es.rcs]\nthumbnail_sid = "right"')
    [told] = faults(folder, environ)
    line = path.read_text().splitlines().index('thumbnail_sid = "right"') + 1
    assert told.strip().startswith(f"{path}:{line}: [languages.es.rcs] ")
    assert "Did you mean thumbnail_side?" in told


def test_a_missing_variable_is_named_with_its_line(folder, environ):
    del environ["ACME_RBM_AGENT"]
    [told] = faults(folder, environ)  # once: not as an empty value too
    assert "ACME_RBM_AGENT" in told
    assert "${ACME_RBM_AGENT:-value}" in told
    assert "[sender 1.settings]" in told


def test_the_linter_speaks_with_the_line_of_the_field(folder, environ):
    path = folder / "templates/flightdelay.toml"
    text = path.read_text()
    path.write_text(text.replace("from gate @Gate", "from gate @Gat", 1))
    [told] = faults(folder, environ)
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if "@Gat." in text)
    assert f":{line}:" in told
    assert "Did you mean @Gate?" in told


def test_a_providers_limit_is_a_fault(folder, environ):
    spoil(folder / "templates/flightdelay.toml", '"Learn More"', f'"{"x" * 26}"')
    assert "RCS allows" in faults(folder, environ)[0]


def test_broken_toml_names_the_line(folder, environ):
    (folder / "templates/flightdelay.toml").write_text('name = "a\nversion = 1')
    assert "line 1" in faults(folder, environ)[0]


def test_a_file_that_is_not_utf_8(folder, environ):
    (folder / "templates/flightdelay.toml").write_bytes(b'name = "\xff"')
    assert "not UTF-8" in faults(folder, environ)[0]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('channel = "rcs"', 'channel = "rsc"', "Did you mean rcs?"),
        ('provider = "google-rbm"', 'provider = "google-rmb"', "Did you mean google-rbm?"),
        ('id = "25508804"', "id = 25508804", "it must stand in quotes"),
        ('time_to_live = "24h"', 'time_to_live = "1 week"', 'as in "24h"'),
        ("[site]", "[sites]", "Did you mean site?"),
        ('name = "acme-rcs"', "", "needs name"),
        ("key_file =", "# key_file =", ""),
    ],
)
def test_faults_of_a_site(folder, environ, old, new, said):
    spoil(folder / "site.toml", old, new)
    if said:
        assert said in "\n".join(faults(folder, environ))
    else:
        assert "key" not in read(folder, environ).senders[0].settings


def test_times_have_units_in_nested_tables_too(folder, environ):
    spoil(folder / "site.toml", 'time_to_live = "24h"', 'time_to_live = "24h"\ncap = { count = 3, within = "1h" }')
    [site] = read(folder, environ).sites
    assert (site.time_to_live, site.cap.count, site.cap.within) == (86_400, 3, 3_600)
    spoil(folder / "site.toml", '"1h"', '"an hour"')
    assert 'as in "24h"' in "\n".join(faults(folder, environ))


def test_media_that_are_not_there_or_no_picture(folder, environ):
    (folder / "media/departure.jpg").write_text("no picture")
    assert "no known type" in faults(folder, environ)[0]
    (folder / "media/departure.jpg").unlink()
    assert "cannot be read" in faults(folder, environ)[0]


def test_one_version_in_two_files(folder, environ):
    shutil.copy(folder / "templates/flightdelay.toml", folder / "templates/zz.toml")
    assert "another file" in faults(folder, environ)[0]


def test_no_path_and_no_site(tmp_path, environ):
    with pytest.raises(SetupError, match="is not there"):
        read(tmp_path / "none", environ)
    with pytest.raises(SetupError, match=r"no site\.toml"):
        read(tmp_path, environ)


# ── paths and forms ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_folder_of_sites(tmp_path, environ):
    for name, site in (("a", "1"), ("b", "2")):
        shutil.copytree(EXAMPLE, tmp_path / "all" / name)
        spoil(tmp_path / "all" / name / "site.toml", "25508804", site)
    wanted = read(tmp_path / "all", environ)
    assert [site.id for site in wanted.sites] == ["1", "2"]
    assert [one.site for one in wanted.templates] == ["1", "1", "2", "2"]


def test_templates_alone_need_no_secret(folder):
    wanted = sitefiles.read(folder, {}, found_plugs(), templates_only=True)
    assert [one.name for one in wanted.templates] == ["flightdelay", "Proactive_Outbound"]
    assert wanted.sites == wanted.senders == ()
    spoil(folder / "templates/flightdelay.toml", "@Gate", "@Gat")
    with pytest.raises(SetupError, match="Did you mean @Gate"):
        sitefiles.read(folder, {}, found_plugs(), templates_only=True)


def test_one_template_alone_finds_its_site(folder, environ):
    wanted = read(folder / "templates/flightdelay.toml", environ)
    assert [one.site for one in wanted.templates] == ["25508804"]
    assert wanted.sites == ()


def test_text_with_every_kind_of_suggestion(tmp_path, environ):
    content = template(
        tmp_path, environ,
        """[languages.en.rcs]
text = "Hello"
suggestions = [
  { reply = "Yes", postback = "yes" },
  { open_url = "Site", url = "https://a.example" },
  { dial = "Call", phone = "+15550100" },
  { view_location = "Map", latitude = 1.5, longitude = 2 },
  { calendar_event = "Note", start = "2026-01-01T10:00:00Z", end = "2026-01-01T11:00:00Z", title = "T" },
  { share_location = "Where" },
]
""",
    ).languages["en"]["rcs"]  # fmt: skip
    assert isinstance(content, Text)
    kinds = [type(one).__name__ for one in content.suggestions]
    assert kinds == ["Reply", "OpenUrl", "Dial", "ViewLocation", "CalendarEvent", "ShareLocation"]
    assert content.suggestions[1:3] == (
        OpenUrl(text="Site", url="https://a.example"),
        Dial(text="Call", phone="+15550100"),
    )


def test_carousel_and_file_and_chips_under_a_card(tmp_path, environ):
    languages = template(
        tmp_path, environ,
        """[languages.en.rcs]
width = "small"
chips = [{ reply = "More" }]
cards = [
  { title = "A", suggestions = [{ reply = "a" }] },
  { title = "B", media = { url = "https://a.example/b.png", height = "short" } },
]
[languages.fr.rcs]
url = "https://a.example/a.pdf"
[languages.de.rcs]
title = "Karte"
chips = [{ reply = "Mehr" }]
""",
    ).languages  # fmt: skip
    carousel, file, card = (languages[one]["rcs"] for one in ("en", "fr", "de"))
    assert isinstance(carousel, Carousel)
    assert [one.title for one in carousel.cards] == ["A", "B"]
    assert carousel.suggestions == (Reply(text="More"),)
    assert isinstance(file, File)
    assert isinstance(card, Card)
    assert (card.suggestions, card.card.suggestions) == ((Reply(text="Mehr"),), ())


def test_variables_with_defaults(tmp_path, environ):
    found = template(
        tmp_path, environ,
        '[variables]\nA = "x"\nB = { example = "y", default = "z" }\n[languages.en.rcs]\ntext = "@A @B"\n',
    ).variables  # fmt: skip
    assert [(one.name, one.example, one.required, one.default) for one in found] == [
        ("A", "x", True, None),
        ("B", "y", False, "z"),
    ]


def test_dollar_braces(tmp_path, environ):
    text = "${GREETING} ${EMPTY:-you}, it costs $5 or $${NAME}"
    content = template(tmp_path, {**environ, "GREETING": "Hi", "EMPTY": ""}, f'[languages.en.rcs]\ntext = "{text}"\n')
    assert content.languages["en"]["rcs"] == Text(text="Hi you, it costs $5 or ${NAME}")


def test_a_value_from_the_environment_cannot_write_toml(tmp_path, environ):
    evil = '"\nname = "other'
    content = template(tmp_path, {**environ, "EVIL": evil}, '[languages.en.rcs]\ntext = "${EVIL}"\n')
    assert content.name == "t"
    assert content.languages["en"]["rcs"] == Text(text=evil)


def test_native_extras_are_kept(tmp_path, environ):
    content = template(tmp_path, environ, '[languages.en.rcs]\ntext = "a"\nnative = { "google-rbm" = { x = 1 } }\n')
    assert msgspec.json.decode(content.languages["en"]["rcs"].native["google-rbm"]) == {"x": 1}


def test_the_team_is_kept_in_e164(folder, environ):
    with (folder / "site.toml").open("a") as file:
        file.write('\n[team]\nrecipients = ["+1 202 555 0123", "0012025550124"]\n')
    [site] = read(folder, environ).sites
    assert site.team.recipients == ("+12025550123", "+12025550124")


def test_faults_of_the_team(folder, environ):
    with (folder / "site.toml").open("a") as file:
        file.write('\n[team]\nrecipients = ["2025550123"]\n')
    [told] = faults(folder, environ)
    assert "[team] " in told and "recipient 1: The phone number does not begin with a country code" in told


def test_canned_answers(folder, environ):
    with (folder / "site.toml").open("a") as file:
        file.write('\n[[canned]]\ntitle = " Hello "\ntext = "Hello @FirstName"\n')
        file.write('\n[[canned]]\ntitle = "Hello"\ntext = "Hola @FirstName"\nlanguage = "spanish"\n')
    [site] = read(folder, environ).sites
    assert site.canned[-2:] == (
        Canned(title="Hello", text="Hello @FirstName"),
        Canned(title="Hello", text="Hola @FirstName", language="es"),
    )


def test_faults_of_canned_answers(folder, environ):
    with (folder / "site.toml").open("a") as file:
        for more in ('text = " "', 'text = "a"', 'text = "b"', 'text = "c"\nlanguage = "no such tongue"', "words = 1"):
            file.write(f'\n[[canned]]\ntitle = "One"\n{more}\n')
    told = " ".join(faults(folder, environ))
    assert "A canned answer needs a title and a text." in told
    assert '"One" is there twice for the same language; keep one.' in told
    assert "no such tongue" in told and "A canned answer has no words." in told


# ── messages that the provider keeps ────────────────────────────────────────────────────────────────────────────────


NAMED = """
[variables]
City = "Kansas City"
Ref = "x1"
[languages.en-GB.wa]
template = "flight_delay"
header = { url = "https://acme.example/a.jpg" }
body = ["@City", "@Ref"]
buttons = [
  { dial = "Call", phone = "+17705550100" },
  { reply = "Rebook", postback = "rebook" },
  { reply = "Thanks" },
  { open_url = "Track", url = "https://acme.example/t/@Ref", end = "@Ref" },
  { copy_code = "@Ref" },
]
shown = "Your flight to @City."
[languages.en-GB.wa.free]
text = "Your flight to @City!"
"""


def test_a_named_message(tmp_path, environ):
    made = template(tmp_path, environ, NAMED)
    named = compile(made).render("en-GB", "wa", {"City": "Lima", "Ref": "r 2"})
    assert named == Named(
        name="flight_delay",
        language="en_GB",
        header=(Parameter(media=Media(url="https://acme.example/a.jpg")),),
        body=(Parameter(text="Lima"), Parameter(text="r 2")),
        buttons=(
            Button(index=1, kind="reply", value="rebook"),
            Button(index=3, kind="url", value="r 2"),
            Button(index=4, kind="copy_code", value="r 2"),
        ),
        shown="Your flight to Lima.",
        suggestions=(
            Dial(text="Call", phone="+17705550100"),
            Reply(text="Rebook", postback="rebook"),
            Reply(text="Thanks", postback="Thanks"),
            OpenUrl(text="Track", url="https://acme.example/t/r%202"),
        ),
        free=Text(text="Your flight to Lima!"),
    )


def test_named_values_and_a_language_of_the_providers(tmp_path, environ):
    text = (
        '[variables]\nCity = "Lima"\n[languages.en.wa]\ntemplate = "d"\nlanguage = "en_GB"\nshown = "To @City"\n'
        'header = { city = "@City" }\nbody = { city = "@City" }\n'
    )
    found = template(tmp_path, environ, text).languages["en"]["wa"]
    assert found.language == "en_GB"
    assert found.header == found.body == (Parameter(text="@City", name="city"),)
    plain = text.replace('header = { city = "@City" }\nbody = { city = "@City" }', 'header = "@City"')
    assert template(tmp_path, environ, plain).languages["en"]["wa"].header == (Parameter(text="@City"),)


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('body = ["@City", "@Ref"]', "body = [1]", 11, "[languages.en-GB.wa] body must be a list of texts"),
        ('{ copy_code = "@Ref" }', '{ copycode = "1" }', 12, "A button names one kind of reply, open_url, dial"),
        ('{ reply = "Thanks" }', '{ reply = "Thanks", end = "1" }', 12, "A button of kind reply has no end"),
        ('shown = "', 'showm = "', 19, "A message that the provider keeps has no showm. Did you mean shown?"),
        ("wa.free]\ntext", 'wa.free]\ntemplate = "x"\nshown', 20, "free must be content of its own"),
        ("wa.free]\ntext", 'wa.free]\noptions = ["x"]\ntext', 21, "options are made, not written"),
        ('shown = "Your flight to @City."', "", 8, "shown is missing"),
        ('City = "Kansas City"', 'City = "Kansas\\nCity"', 8, "holds a line break, a tab or four spaces"),
        ('City = "Kansas City"', 'City = "a    b"', 8, "holds a line break, a tab or four spaces"),
    ],
)
def test_faults_of_a_named_message(tmp_path, environ, old, new, line, words):
    assert old in NAMED
    path = tmp_path / "one.toml"
    path.write_text('site = "1"\nname = "t"\nversion = "1"\nfallback_language = "en-GB"' + NAMED.replace(old, new))
    told = faults(path, environ)
    assert any(words in one for one in told), told
    assert any(f"one.toml:{line}: " in one for one in told if words in one), told


# ── prices ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_prices_are_kept_to_the_digit(folder, environ):
    site = folder / "site.toml"
    spoil(site, '"USD"', '"EUR"')
    spoil(site, "default = 0.05", "default = 1")
    [found] = read(folder, environ).sites
    assert found.prices.currency == "EUR"
    assert {start: str(price) for start, price in found.prices.channels["sms"].items()} == {
        "+1": "0.0079",
        "default": "1",
    }
    assert msgspec.json.decode(msgspec.json.encode(found), type=type(found)) == found


def test_a_wrong_price_has_its_line(folder, environ):
    site = folder / "site.toml"
    site.write_text(
        '[site]\nid = "1"\n[prices]\ncurrency = "usd"\n[prices.sms]\n"1" = 0.1\n"+1" = "0.1"\n[prices.smss]\n'
    )
    told = faults(folder, environ)
    assert any('site.toml:4: [prices] currency is "usd"' in one for one in told)
    assert any("site.toml:6: [prices.sms] 1 is no beginning of a number" in one for one in told)
    assert any("site.toml:7: [prices.sms] +1 is '0.1'; a price is a number" in one for one in told)
    assert any("The price table has no smss. Did you mean sms?" in one for one in told)


# ── falling back ────────────────────────────────────────────────────────────────────────────────────────────────────

SAID = """
[site.fallback]
need = "delivered"
within = "2m"
in_doubt = "resend"

[site.fallback.channels.rcs]
within = "1m"
overlap = "allow"
"""


def test_a_sites_fallback(folder, environ):
    path = folder / "site.toml"
    path.write_text(path.read_text().replace("\n# Who sends.", SAID + "\n# Who sends."))
    wanted = read(folder, environ)
    assert wanted.sites[0].fallback == Fallback(
        need=Need.DELIVERED,
        within=120,
        in_doubt=Doubt.RESEND,
        channels={"rcs": Rule(within=60, overlap=Overlap.ALLOW)},
    )
    [note] = [one for one in wanted.notes if "comes twice" in one]
    line = path.read_text().splitlines().index('overlap = "allow"') + 1
    assert f":{line}:" in note


def test_a_templates_fallback(tmp_path, environ):
    text = '[languages.en.rcs]\ntext = "Hello"\n[fallback]\nneed = "read"\nwithin = 60\n'
    assert template(tmp_path, environ, text).fallback == Fallback(need=Need.READ, within=60)


def test_faults_of_a_fallback_are_named(folder, environ):
    path = folder / "site.toml"
    said = SAID.replace("within", "withn", 1).replace("channels.rcs", "channels.rsc").replace('"delivered"', '"sure"')
    path.write_text(path.read_text().replace("\n# Who sends.", said + "\n# Who sends."))
    told = "\n".join(faults(folder, environ))
    assert "A fallback has no withn. Did you mean within?" in told
    assert "rsc is no channel. Did you mean rcs?" in told
    assert 'need is "sure"; one of delivered, read, sent is needed' in told


OPT_OUTS = """
[opt_outs]
scope = "channel"
contact = "+1 202 555 0100"
words.stop = ["ga weg"]
confirmation.en_US = "@Brand will write no more here."

[opt_outs.help]
Deutsch = "@Brand: @Contact"
"""


def answering(folder, text):
    """The site's file with this in the place of its section."""
    path = folder / "site.toml"
    before, _, after = path.read_text().partition("[opt_outs]")
    path.write_text(before + text + after[after.index("\n\n") :])


def test_how_keywords_are_answered(folder, environ):
    answering(folder, OPT_OUTS)
    (site,) = read(folder, environ).sites
    assert site.opt_outs.scope == "channel"
    assert site.opt_outs.words.stop == ("ga weg",)
    assert site.opt_outs.confirmation == {"en-US": "@Brand will write no more here."}
    assert site.opt_outs.help == {"de": "@Brand: @Contact"}


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ('scope = "site"', "scope is"),
        ('contct = "x"', "has no contct. Did you mean contact?"),
        ('words.stop = ["!"]', "'!' is no word"),
        ('words.help = ["cancel"]', "'cancel' means stop everywhere"),
        ('words.stop = ["enough"]\nwords.start = ["Enough!"]', "'Enough!' stands in stop too"),
        ('confirmation.klingonese = "x"', "klingonese"),
        ('help.en = " "', "help.en: the text is empty"),
        ("help.en = 5", "help"),
    ],
)
def test_faults_of_what_is_answered(folder, environ, written, told):
    answering(folder, f"[opt_outs]\n{written}\n")
    assert any(told in one and "site.toml:" in one for one in faults(folder, environ))


def test_what_is_unwise_in_an_answer_is_noted(folder, environ):
    answering(folder, f'[opt_outs]\nconfirmation.en = "{"x" * 161}"\n')
    notes = read(folder, environ).notes
    assert any("2 parts" in note for note in notes) and any("name the brand" in note for note in notes)


# ── the webhook ─────────────────────────────────────────────────────────────────────────────────────────────────────

SECRET = "whsec_" + "b25lIHNlY3JldCBvZiB0aGUgZW5kcG9pbnQ="


def with_webhook(folder: Path, lines: str) -> Path:
    path = folder / "site.toml"
    text = path.read_text()
    path.write_text(text.split("[webhook]")[0] + f"\n[webhook]\n{lines}\n")
    return folder


def test_a_webhook_with_secrets_that_are_rotated_and_groups_of_types(folder, environ):
    environ |= {"NEW": SECRET, "OLD": SECRET.replace("b25l", "dHdv")}
    lines = """
url = "https://crm.acme.example/h?key=1"
secret = ["${NEW}", "${OLD:-}", "${OLDER:-}"]
events = ["alert.*", "reply.received"]
"""
    [webhook] = read(with_webhook(folder, lines), environ).webhooks
    assert (webhook.site, webhook.url, webhook.allow_private) == ("25508804", "https://crm.acme.example/h?key=1", False)
    assert webhook.secrets == (environ["NEW"], environ["OLD"])
    assert len(webhook.events) == 10 and {"alert.refused", "reply.received"} <= set(webhook.events)
    one = with_webhook(folder, 'url = "http://10.0.0.7/h"\nsecret = "${NEW}"\nallow_private = true')
    [webhook] = read(one, environ).webhooks
    assert webhook.allow_private and webhook.events == () and "turn.read" in webhook.tells


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ('secret = "${S}"', "A webhook needs url."),
        ('url = "crm.acme.example"\nsecret = "${S}"', "url needs scheme and host"),
        ('url = "https://a:b@crm.example/"\nsecret = "${S}"', "url needs scheme and host"),
        ('url = "https://crm.example/#x"\nsecret = "${S}"', "url has a fragment"),
        ('url = "https://crm.example/"\nsecret = ""', "secret is empty"),
        ('url = "https://crm.example/"\nsecret = "whsec_c2hvcnQ="', "24 to 64 bytes"),
        ('url = "https://crm.example/"\nsecret = "a plain word"', "this one is not"),
        ('url = "https://crm.example/"\nsecret = "${S}"\nevents = ["alert.delivred"]', "Did you mean alert.delivered?"),
        ('url = "https://crm.example/"\nsecret = "${S}"\nevents = "alert.sent"', "a list in brackets is needed"),
        ('url = "https://crm.example/"\nsecret = "${GONE}"', "needs GONE, which is not in the environment"),
    ],
)
def test_a_webhook_that_cannot_be_is_told_by_its_line(folder, environ, lines, says):
    [fault] = faults(with_webhook(folder, lines), environ | {"S": SECRET})
    assert says in fault and "[webhook]" in fault and SECRET not in fault


def test_a_webhook_without_tls_is_noted_unless_it_is_private(folder, environ):
    environ |= {"S": SECRET}
    lines = 'url = "http://crm.acme.example/h"\nsecret = "${S}"\n'
    assert "allow_private = true" in " ".join(read(with_webhook(folder, lines), environ).notes)
    assert "http" not in " ".join(read(with_webhook(folder, lines + "allow_private = true"), environ).notes)


def test_the_examples_webhook_is_left_out_until_it_is_named(environ):
    wanted = read(EXAMPLE, environ)
    assert wanted.webhooks == () and "The webhook is left out, since `when` is empty." in " ".join(wanted.notes)
    named = {"ACME_WEBHOOK_URL": "https://crm.acme.example/h", "ACME_WEBHOOK_SECRET": SECRET}
    [webhook] = read(EXAMPLE, environ | named).webhooks
    assert (webhook.url, webhook.secrets) == ("https://crm.acme.example/h", (SECRET,))
