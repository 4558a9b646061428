"""The commands as an operator uses them, and their exit codes (alerts and send have files of their own)."""

from __future__ import annotations

import resource
import shutil
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from heliograph import __version__
from heliograph.cli.reference import reference_markdown

EXAMPLE = Path(__file__).parents[2] / "examples" / "acme-air"
SITE = "25508804"


def test_help_is_quick_and_names_every_command():
    """Under 0.4 s of CPU, the best of three: that, unlike the clock, hardly moves when the machine has other work."""
    took, out = [], ""
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-c", "from heliograph.cli import main; main()", "--help"]
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(took) < 0.4
    for name in ("demo", "serve", "sandbox", "send", "apply", "alerts", "keys", "doctor", "version"):
        assert name in out


def test_heavy_rooms_are_not_imported_for_help():
    code = (
        "import sys; from heliograph.cli import run; run(['--help']); "
        "print([m for m in ('heliograph.app', 'heliograph.web', 'heliograph.store', 'phonenumbers', 'sqlalchemy', "
        "'oauthlib') if m in sys.modules], file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stderr.strip() == "[]"


def test_apply_says_what_changed_and_may_be_repeated(heliograph):
    first = heliograph("apply", EXAMPLE, "--json")
    assert first.code == 0
    assert {one["what"] for one in first.data["changes"]} == {"created"}
    again = heliograph("apply", EXAMPLE, "--json").data["changes"]
    assert {one["what"] for one in again} == {"unchanged"}
    assert [one["kind"] for one in again] == ["media", "site", "sender", "template", "template"]


def test_apply_names_changed_fields(applied, tmp_path, monkeypatch):
    copy = shutil.copytree(EXAMPLE, tmp_path / "acme")
    path = copy / "templates/flightdelay.toml"
    path.write_text(path.read_text().replace("is delayed", "is late", 1))
    monkeypatch.setenv("ACME_RBM_WEBHOOK_TOKEN", "webhook-token-2")
    changed = {
        one["kind"]: one["fields"]
        for one in applied("apply", copy, "--json").data["changes"]
        if one["what"] == "changed"
    }
    assert changed == {
        "sender": ["settings.webhook_token"],
        "template": ["languages.en.rcs.card.description"],
    }
    assert "webhook-token" not in applied("apply", copy).out


def test_a_dry_run_makes_no_database_and_no_secret_key(heliograph, tmp_path):
    before = sorted(tmp_path.iterdir())
    ran = heliograph("apply", EXAMPLE, "--dry-run")
    assert ran.code == 0
    assert "Would be: 5 created." in ran.out
    assert sorted(tmp_path.iterdir()) == before


def test_apply_with_a_fault_changes_nothing(applied, tmp_path):
    copy = shutil.copytree(EXAMPLE, tmp_path / "acme")
    path = copy / "templates/flightdelay.toml"
    path.write_text(path.read_text().replace("Learn More", "x" * 40))
    site = copy / "site.toml"
    site.write_text(site.read_text().replace("Acme Air", "Other"))
    ran = applied("apply", copy)
    assert ran.code == 1
    assert "nothing was changed" in ran.err
    assert "Other" not in str(applied("doctor", "--json").data)
    assert {one["what"] for one in applied("apply", EXAMPLE, "--json").data["changes"]} == {"unchanged"}


def test_prune_removes_what_left_the_files(applied, tmp_path):
    copy = shutil.copytree(EXAMPLE, tmp_path / "acme")
    (copy / "templates/flightdelay.toml").unlink()
    assert "--prune removes them" in applied("apply", copy).out
    assert len(applied("templates", "list", "--json").data) == 2
    assert applied("apply", copy, "--prune").code == 0
    assert [one["name"] for one in applied("templates", "list", "--json").data] == ["Proactive_Outbound"]


def test_no_secret_lies_open_in_the_database(applied, tmp_path):
    parts = applied("keys", "create", SITE, "--json").data
    dump = "\n".join(sqlite3.connect(tmp_path / "a.db").iterdump()).encode()
    for secret in (parts["consumer_secret"], parts["token_secret"], "webhook-token-1", "a@b.example"):
        assert secret.encode() not in dump
        assert secret.encode().hex() not in dump.decode().lower()


def test_keys_from_making_to_rotating(applied):
    made = applied("keys", "create", SITE, "--note", "crm")
    assert made.code == 0
    parts = dict(line.split() for line in made.out.splitlines())
    assert set(parts) == {"consumer_key", "consumer_secret", "token", "token_secret"}
    listed = applied("keys", "list")
    assert parts["consumer_key"] in listed.out
    assert parts["consumer_secret"] not in listed.out
    assert parts["consumer_secret"] not in applied("keys", "list", "--json").out

    assert applied("keys", "disable", parts["consumer_key"]).code == 0
    assert applied("keys", "list", "--json").data[0]["state"] == "disabled"
    assert applied("keys", "enable", parts["consumer_key"]).code == 0
    rotated = applied("keys", "rotate", parts["consumer_key"], "--days", "2", "--json").data
    states = {one["consumer_key"]: one["state"] for one in applied("keys", "list", "--json").data}
    assert states == {parts["consumer_key"]: "ending", rotated["consumer_key"]: "valid"}
    assert applied("keys", "rotate", parts["consumer_key"], "--days=-1").code == 2
    assert applied("keys", "disable", "nobody").code == 1


def test_a_key_of_an_unknown_site(applied):
    ran = applied("keys", "create", "1")
    assert ran.code == 1
    assert f"known sites: {SITE}" in ran.err


def test_secret_keys_go_to_a_private_file_and_overwrite_nothing(heliograph, tmp_path):
    path = tmp_path / "secret"
    assert heliograph("keys", "secret", "--file", path).code == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    kept = path.read_text()
    assert heliograph("keys", "secret", "--file", path).code == 1
    assert path.read_text() == kept
    assert len(heliograph("keys", "secret").out.strip()) >= 43


def test_rotating_the_secret_key(applied, tmp_path, monkeypatch):
    former = (tmp_path / "a.db.secret-key").read_text().strip()
    fresh = applied("keys", "secret").out.strip()
    monkeypatch.setenv("HELIOGRAPH_SECRET_KEY", fresh)
    shut = {one["check"]: one for one in applied("doctor", "--json").data["findings"]}["secret key"]
    assert shut["state"] == "failed"
    monkeypatch.setenv("HELIOGRAPH_SECRET_KEY", f"{fresh},{former}")
    assert "keys reseal" in applied("doctor").out
    assert applied("keys", "reseal", "--json").data == {"resealed": 1}
    monkeypatch.setenv("HELIOGRAPH_SECRET_KEY", fresh)
    assert {one["what"] for one in applied("apply", EXAMPLE, "--json").data["changes"]} == {"unchanged"}


def test_a_shell_without_the_servers_secret_key_seals_nothing(applied, tmp_path):
    (tmp_path / "a.db.secret-key").rename(tmp_path / "elsewhere")
    lost = applied("keys", "create", SITE)
    assert lost.code == 1
    assert "HELIOGRAPH_SECRET_KEY" in lost.err
    assert not (tmp_path / "a.db.secret-key").exists()
    applied("keys", "secret", "--file", tmp_path / "a.db.secret-key")
    assert applied("keys", "create", SITE).code == 1
    assert applied("keys", "list", "--json").data == []


def test_templates_listed_shown_linted_previewed(applied):
    [_, row] = applied("templates", "list", "--json").data
    assert (row["name"], row["languages"], row["tags"]) == ("flightdelay", ["en", "es"], ["1"])
    assert "@Gate" in applied("templates", "show", "flightdelay").out
    assert applied("templates", "lint", EXAMPLE).code == 0
    drawn = applied("templates", "preview", "flightdelay", "--language", "spanish", "--var", "Gate=Z9").out
    assert "Toque para elegir" in drawn
    assert "Z9" in drawn
    assert "Tap to Select" not in drawn
    both = applied("templates", "preview", "flightdelay", "--json").data
    assert [(one["language"], one["channel"]) for one in both] == [
        (language, channel) for language in ("en", "es") for channel in ("rcs", "wa", "sms")
    ]
    assert both[2]["content"]["options"][0]["postback"] == "postback_data_Menu"
    assert both[0]["content"]["card"]["description"].endswith("7:35 pm from gate C35.")


def test_a_preview_from_the_file_alone_needs_no_database(heliograph, tmp_path):
    assert heliograph("templates", "preview", "flightdelay", "--file", EXAMPLE).code == 0
    assert not (tmp_path / "a.db").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("templates", "show", "flightdelai"), "Did you mean flightdelay?"),
        (("templates", "show", "flightdelay", "--version", "9"), "It has: 1."),
        (("templates", "preview", "flightdelay", "--language", "french"), "It has en, es on rcs, sms, wa."),
        (("alerts", "show", "nope"), "alerts list"),
    ],
)
def test_what_is_not_there_is_said_with_what_there_is(applied, words, said):
    ran = applied(*words)
    assert ran.code == 1
    assert said in ran.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("serv",), 'Did you mean "serve"?'),
        (("apply",), "PATH"),
        (("apply", "x", "--databse-url", "y"), "Did you mean --database-url?"),
        (("alerts", "list", "--state", "deliverd"), "Did you mean delivered?"),
        (("alerts", "list", "--limit", "0"), "1 to 1000"),
        (("send", "nonsense", "--site", "1"), "is no address"),
    ],
)
def test_what_is_not_understood_is_exit_code_2(heliograph, words, said):
    ran = heliograph(*words)
    assert ran.code == 2
    assert said in ran.err
    assert ran.out == ""


def test_errors_are_json_for_programs(heliograph):
    import json

    ran = heliograph("apply", "nowhere", "--json")
    assert ran.code == 1
    assert json.loads(ran.err)["code"] == "no_such_path"


def test_senders_show_no_secret(applied):
    [sender] = applied("senders", "--json").data
    assert sender["settings"]["key"] == sender["settings"]["webhook_token"] == "set"
    assert "sealed" not in applied("senders").out


def test_settings_tell_value_and_source(heliograph, tmp_path, monkeypatch):
    (tmp_path / "heliograph.toml").write_text('port = 9000\nhost = "0.0.0.0"\n')
    monkeypatch.setenv("HELIOGRAPH_HOST", "127.0.0.2")
    monkeypatch.setenv("HELIOGRAPH_SECRET_KEY", "s" * 40)
    rows = {row["name"]: row for row in heliograph("settings", "--log-level", "debug", "--json").data}
    assert (rows["port"]["value"], rows["port"]["source"]) == (9000, "heliograph.toml")
    assert (rows["host"]["value"], rows["host"]["source"]) == ("127.0.0.2", "HELIOGRAPH_HOST")
    assert (rows["log_level"]["value"], rows["log_level"]["source"]) == ("debug", "--log-level")
    assert rows["secret_key"]["value"] == "set"
    assert "s" * 40 not in heliograph("settings").out


def test_a_settings_file_that_is_named_must_be_there(heliograph, tmp_path):
    assert heliograph("settings", "--config", tmp_path / "none.toml").code == 1
    (tmp_path / "bad.toml").write_text("port = \nhost = 1")
    ran = heliograph("settings", "--config", tmp_path / "bad.toml")
    assert ran.code == 1
    assert "line 1" in ran.err


def test_the_database_from_nothing_to_a_backup(heliograph, tmp_path):
    assert heliograph("db", "status").code == 1
    assert heliograph("db", "migrate", "--json").data["before"] == ""
    assert heliograph("db", "migrate").out.endswith("nothing to do.\n")
    assert heliograph("db", "status").code == 0
    assert heliograph("apply", EXAMPLE).code == 0
    path = tmp_path / "backup.db"
    assert heliograph("db", "backup", path, "--json").data["bytes"] == path.stat().st_size
    copied = heliograph("senders", "--database-url", f"sqlite:///{path}", "--json").data
    assert [one["name"] for one in copied] == ["acme-rcs"]
    assert heliograph("db", "backup", path).code == 1


def test_commands_before_there_is_a_database_name_the_next_step(heliograph):
    for words in (("keys", "list"), ("alerts", "list"), ("senders",)):
        ran = heliograph(*words)
        assert ran.code == 1
        assert "heliograph" in ran.err


def test_doctor_from_nothing_to_well(heliograph):
    empty = heliograph("doctor", "--json")
    assert empty.code == 1
    assert {one["check"]: one["state"] for one in empty.data["findings"]}["database"] == "failed"
    heliograph("apply", EXAMPLE)
    found = {one["check"]: one for one in heliograph("doctor", "--json").data["findings"]}
    assert found[f"site {SITE}"]["state"] == "warning"
    assert "keys create" in found[f"site {SITE}"]["step"]
    heliograph("keys", "create", SITE)
    assert "users add" in found["console"]["step"]
    heliograph("users", "add", "ann", "--role", "admin", "--generate")
    well = heliograph("doctor", "--public-url", "https://alerts.acme.example", "--json")
    assert well.code == 0
    assert {one["state"] for one in well.data["findings"] if one["check"] not in ("disk", "room")} == {"ok"}


def test_doctor_says_what_will_never_arrive(heliograph, monkeypatch):
    monkeypatch.setenv("ACME_RBM_WEBHOOK_TOKEN", "")
    monkeypatch.setenv("ACME_WA_ACCESS_TOKEN", "t")
    monkeypatch.setenv("ACME_WA_VERIFY_TOKEN", "v")
    monkeypatch.setenv("ACME_TWILIO_ACCOUNT_SID", "AC1")
    monkeypatch.setenv("ACME_TWILIO_AUTH_TOKEN", "t")
    monkeypatch.setenv("ACME_TWILIO_FROM", "+12025550100")
    monkeypatch.setenv("ACME_SMPP_HOST", "127.0.0.1")
    monkeypatch.setenv("ACME_SMPP_SYSTEM_ID", "acme")
    monkeypatch.setenv("ACME_SMPP_PASSWORD", "8letters")  # as long as it may be; sealed it is longer
    heliograph("apply", EXAMPLE)

    def found(*words):
        told = heliograph("doctor", "--json", *words).data["findings"]
        return {one["check"]: one["found"] for one in told if one["check"].startswith("sender ")}

    here = found()
    assert here["sender acme-rcs"] == "webhook_token is not set: no receipt and no reply is taken."
    assert here["sender acme-wa"] == "app_secret is not set: no receipt and no reply is believed."
    assert here["sender acme-smpp"] == "smpp on sms"
    assert here["sender acme-sms"].startswith("HELIOGRAPH_PUBLIC_URL is not set: Twilio is told an address")
    assert found("--public-url", "https://alerts.acme.example")["sender acme-sms"] == "twilio on sms"


def test_doctor_goes_on_to_the_senders_without_a_secret_key(applied, tmp_path):
    (tmp_path / "a.db.secret-key").unlink()
    told = {one["check"]: one["state"] for one in applied("doctor", "--json").data["findings"]}
    assert (told["secret key"], told["sender acme-rcs"]) == ("failed", "warning")


def test_doctor_reports_wrong_settings_instead_of_stopping(heliograph, monkeypatch):
    monkeypatch.setenv("HELIOGRAPH_PORT", "many")
    ran = heliograph("doctor", "--json")
    assert ran.code == 1
    assert ran.data["findings"][-1]["check"] == "settings"
    assert "HELIOGRAPH_PORT" in ran.data["findings"][-1]["step"]


def test_version(heliograph):
    assert heliograph("version").out.startswith(f"heliograph {__version__} ")
    assert heliograph("version", "--json").data["heliograph"] == __version__


def test_the_reference_has_every_command_and_exit_code():
    page = reference_markdown()
    for command in ("heliograph apply", "heliograph keys rotate", "heliograph alerts show", "heliograph db backup"):
        assert command in page
    assert "| 4 |" in page


# ── templates on several channels ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def alert_file(tmp_path):
    """A card for any channel, and a message that WhatsApp keeps."""
    path = tmp_path / "late.toml"
    path.write_text(
        'site = "1"\nname = "late"\nversion = "1"\nfallback_language = "en"\n[variables]\nCity = "Łódź"\n'
        '[languages.en.any]\ntitle = "Late"\ndescription = "Your flight to @City."\n'
        'suggestions = [{ reply = "Rebook", postback = "r" }, { open_url = "Track", url = "https://acme.example" }]\n'
        '[languages.en.fax]\ntemplate = "flight_late"\nbody = ["@City"]\nshown = "To @City."\n'
        'buttons = [{ reply = "Rebook" }]\n[languages.en.fax.free]\ntext = "Now to @City"\n'
    )
    return path


def test_lint_tells_everything_and_its_exit_code(heliograph, alert_file):
    ran = heliograph("templates", "lint", alert_file)
    assert (ran.code, ran.err) == (0, "")
    assert "[languages.en.fax]" not in ran.out and "No channel fax is installed." in ran.out
    assert "On wa: Free content is sent only within 24 hours" in ran.out
    assert "1 template: no fault, 2 warnings." in ran.out
    assert heliograph("templates", "lint", alert_file, "--strict").code == 1
    alert_file.write_text(alert_file.read_text().replace("@City.", "@Cty.").replace("shown =", "shwn ="))
    ran = heliograph("templates", "lint", alert_file, "--json")
    assert ran.code == 1
    assert len(ran.data["faults"]) == 1 and "has no shwn. Did you mean shown?" in ran.data["faults"][0]
    alert_file.write_text(alert_file.read_text().replace("shwn =", "shown ="))
    ran = heliograph("templates", "lint", alert_file)
    assert ran.code == 1
    assert "late.toml:9: languages.en.any.card.description: @Cty is not declared" in ran.out
    assert "1 template: 2 faults, 2 warnings." in ran.out


def test_preview_draws_a_named_message_and_its_free_form(heliograph, alert_file):
    drawn = heliograph("templates", "preview", "late", "--file", alert_file, "--channel", "fax").out
    for words in ("To Łódź.", "(Rebook)", "kept by the provider as flight_late, en", "no provider of this channel"):
        assert words in drawn
    assert "Now to Łódź" in drawn.split("of the recipient's words")[1]


def test_preview_says_parts_and_rules():
    from heliograph.cli.previewed import _notes, as_json
    from heliograph.core import sms
    from heliograph.core.channel import Carries
    from heliograph.core.content import Reply, Text
    from heliograph.core.fit import fit
    from heliograph.core.preview import Seen

    fitted = fit(Text(text="Łódź", suggestions=(Reply(text="Yes"),)), Carries())
    seen = Seen(
        language="en",
        channel="sms",
        own=False,
        providers=("smpp", "twilio"),
        content=fitted.content,
        size=sms.measure(fitted.content.text),
        rules=fitted.rules,
        faults=("it is no good.",),
        window=7200,
    )
    assert _notes(seen) == [
        "sent only within 2 hours of the recipient's last message",
        "1 part, UCS-2, 11 units, forced by Ł (U+0141, LATIN CAPITAL LETTER L WITH STROKE)",
        "made to fit: 1 reply is a numbered line; an answer with the number counts as a tap.",
        "would not be sent: it is no good.",
    ]
    assert as_json(seen)["forced_by"] == "Ł"
