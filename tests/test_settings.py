"""The settings table: what wins, what is refused and how it is told, what is never printed."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.errors import SetupError
from heliograph.settings import TABLE, Settings, load, origins, reference_markdown, shown

KEY = "k" * 40


def test_defaults_are_the_tables():
    assert load({}, {}, {}) == Settings()


def test_a_flag_beats_the_environment_beats_the_file():
    file, environ, flags = {"port": 1, "host": "a", "log_level": "debug"}, {"HELIOGRAPH_PORT": "2"}, {"port": "3"}
    assert (load(file, environ, flags).port, load(file, environ, {}).port, load(file, {}, {}).port) == (3, 2, 1)
    found = origins(file, environ, {"port": "3", "host": None})
    assert (found["port"], found["host"], found["body_limit"]) == ("--port", "heliograph.toml", "default")
    assert origins(file, environ, {})["port"] == "HELIOGRAPH_PORT"


@given(st.sampled_from(TABLE), st.integers(1, 60_000))
def test_numbers_read_the_same_from_every_place(row, number):
    if isinstance(row.default, bool) or not isinstance(row.default, int | float):
        return
    values = [
        load({row.name: number}, {}, {}),
        load({}, {row.variable: str(number)}, {}),
        load({}, {}, {row.name: str(number)}),
    ]
    assert {getattr(one, row.name) for one in values} == {number}
    assert type(getattr(values[1], row.name)) is type(row.default)


@pytest.mark.parametrize(("text", "value"), [("true", True), ("1", True), ("yes", True), ("off", False), ("0", False)])
def test_switches_in_the_environment(text, value):
    assert load({}, {"HELIOGRAPH_ALLOW_PRIVATE_ADDRESSES": text}, {}).allow_private_addresses is value


def test_an_empty_variable_is_not_set():
    assert load({"port": 9}, {"HELIOGRAPH_PORT": ""}, {}).port == 9


def refused(file=None, environ=None, flags=None) -> str:
    with pytest.raises(SetupError) as caught:
        load(file or {}, environ or {}, flags or {})
    return caught.value.sentence


def test_a_wrong_value_names_setting_value_source_and_what_is_needed():
    assert refused({"port": 70_000}) == (
        'port (from heliograph.toml) is "70000". A whole number from 0 to 65535 is needed.'
    )
    assert 'HELIOGRAPH_PORT is "eighty"' in refused(environ={"HELIOGRAPH_PORT": "eighty"})
    assert "(from --log-level)" in refused(flags={"log_level": "loud"})


def test_every_fault_is_told_at_once():
    sentence = refused({"prot": 1}, {"HELIOGRAPH_PUBLIC_ULR": "x"}, {"port": "x"})
    assert "Did you mean port?" in sentence
    assert "Did you mean HELIOGRAPH_PUBLIC_URL?" in sentence
    assert "--port" in sentence


def test_text_in_the_file_must_be_text():
    assert "host" in refused({"host": 3})


@pytest.mark.parametrize(
    "url", ["alerts.acme.example", "ftp://a", "https://a/path", "https://a?x=1", "https://u:p@a", "https://"]
)
def test_a_public_url_is_scheme_and_host_alone(url):
    assert "public_url" in refused({"public_url": url})


def test_a_public_url_loses_its_slash():
    assert load({"public_url": "https://alerts.acme.example:8443/"}, {}, {}).public_url == (
        "https://alerts.acme.example:8443"
    )


def test_proxies_are_networks():
    assert load({"trusted_proxies": "10.0.0.5, 192.168.0.0/16, ::1"}, {}, {}).trusted_proxies
    assert "10.0.0.x" in refused({"trusted_proxies": "10.0.0.1, 10.0.0.x"})


def test_secrets_are_never_printed():
    settings = load({"secret_key": KEY, "database_url": "postgresql://u:pass-word@h/d?password=hush"}, {}, {})
    for text in (repr(settings), str(settings), str(shown(settings))):
        assert KEY not in text
        assert "pass-word" not in text
        assert "hush" not in text
    assert shown(settings)["secret_key"] == "set"
    assert shown(Settings())["secret_key"] == "not set"
    assert "short" not in refused({"secret_key": "short"})


def test_several_secret_keys_newest_first():
    assert load({"secret_key": f"{KEY}1, {KEY}2,"}, {}, {}).secret_keys == (f"{KEY}1", f"{KEY}2")


def test_kubernetes_service_links_are_recognised():
    assert "enableServiceLinks" in refused(environ={"HELIOGRAPH_PORT": "tcp://10.0.0.1:80"})
    load({}, {"HELIOGRAPH_SERVICE_HOST": "10.0.0.1", "HELIOGRAPH_PORT_80_TCP_ADDR": "10.0.0.1"}, {})


def test_the_callers_variables_are_no_settings():
    load({}, {"HELIOGRAPH_SEND_CONSUMER_KEY": "ck", "HELIOGRAPH_CONFIG": "x.toml", "PATH": "/bin"}, {})


def test_the_page_has_every_row():
    page = reference_markdown()
    for row in TABLE:
        assert f"| `{row.name}` | `{row.variable}` |" in page
        assert row.help in page


def test_every_default_holds_against_its_own_row():
    for row in TABLE:
        if row.default is not None:
            assert msgspec.convert(row.default, row.form) == row.default


def test_settings_cannot_be_changed():
    with pytest.raises(AttributeError):
        Settings().port = 1
