"""Logs and metrics: one line of JSON, no number, no name, bounded labels."""

from __future__ import annotations

import io
import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph import telemetry


def logged(level: str = "info", sentence: str = "It happened.", **facts: Any) -> dict[str, Any]:
    lines = io.BytesIO()
    telemetry.logger("debug", "json", lines)(level, sentence, action="test", **facts)
    found: dict[str, Any] = json.loads(lines.getvalue())
    return found


def test_a_line_is_a_sentence_an_action_and_facts() -> None:
    line = logged("warning", "The sender is paused.", alert="01930000-0000-7000-8000-123456789012", status=200)
    assert list(line)[:4] == ["at", "level", "message", "action"]
    assert (line["level"], line["message"], line["action"]) == ("warning", "The sender is paused.", "test")
    assert (line["alert"], line["status"]) == ("01930000-0000-7000-8000-123456789012", 200)


@pytest.mark.parametrize(
    "number", ["+17703101414", "7703101414", "770-310-1414", "(770) 310 1414", "+49 (0)30 / 123456", "0061 400 111 222"]
)
def test_numbers_to_dial_are_masked_wherever_they_stand(number: str) -> None:
    digits = "".join(letter for letter in number if letter.isdigit())
    for line in (
        logged(sentence=f"Call to {number} broke."),
        logged(code=f"x{number}"),
        logged(stack=["a", number]),
        logged(n=int(digits)),
    ):
        left = "".join(
            letter for letter in json.dumps({k: v for k, v in line.items() if k != "at"}) if letter.isdigit()
        )
        assert digits[-7:] not in left


@pytest.mark.parametrize(
    "key",
    ["phone", "recipient", "first_name", "customer", "variables", "body", "text", "token", "consumer_secret", "url"],
)
def test_keys_of_personal_data_are_withheld(key: str) -> None:
    assert logged(**{key: "Matt"})[key] == "[withheld]"


def test_only_plain_words_and_numbers_are_logged() -> None:
    assert logged(facts={"name": "Matt"})["facts"] == "[dict]"
    assert logged(raw=b"Matt")["raw"] == "[bytes]"
    assert logged(alert="not an id, but Matt's +17703101414")["alert"].endswith("[number]")


@given(st.text(max_size=40), st.integers(10**6, 10**15))
def test_no_run_of_seven_digits_is_left(around: str, number: int) -> None:
    masked = telemetry.masked(f"{around} {number} {around}")
    assert str(number) not in masked


def test_dates_and_ids_stay() -> None:
    text = "Since 2026-11-23 03:15:18 of 01930000-0000-7000-8000-123456789012"
    assert telemetry.masked(text) == text


def test_a_level_below_the_least_is_not_written() -> None:
    lines = io.BytesIO()
    telemetry.logger("warning", "json", lines)("info", "Nothing.", action="test")
    assert lines.getvalue() == b""


def test_text_for_a_terminal() -> None:
    lines = io.BytesIO()
    telemetry.logger("info", "text", lines)("info", "It serves.", action="started", port=8080)
    assert lines.getvalue().decode().rstrip().endswith("info    It serves.  action=started port=8080")


def test_a_stack_names_places_and_no_values() -> None:
    secret = "Matt"
    try:
        try:
            {}[secret]
        except KeyError as error:
            raise ValueError(secret) from error
    except ValueError as error:
        stack = telemetry.stack_of(error)
    assert stack[-1] == "ValueError"
    assert "KeyError" in stack
    assert any("test_a_stack_names_places_and_no_values" in place for place in stack)
    assert "Matt" not in "".join(stack)


def test_what_libraries_log_comes_without_their_arguments() -> None:
    lines = io.BytesIO()
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    try:
        telemetry.take_over(telemetry.logger("debug", "json", lines), "debug")
        logging.getLogger("lib").debug("Signing with a token")  # oauthlib does
        logging.getLogger("lib").error("Cannot call %s", "Matt")
    finally:
        root.handlers = handlers
        root.setLevel(level)
    line = json.loads(lines.getvalue())
    assert (line["message"], line["library"], line["level"]) == ("Cannot call %s", "lib", "error")


def test_the_stack_of_an_error_that_is_among_its_own_causes_ends() -> None:
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first
    assert telemetry.stack_of(first) == ["KeyError", "ValueError"]
