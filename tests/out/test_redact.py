"""What is kept of an exchange holds no credential and of a number the last four digits."""

from __future__ import annotations

import asyncio
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.errors import SendError
from heliograph.out import redact


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("phones/+17705550123/agentMessages", "phones/***0123/agentMessages"),
        ("phones/%2B17705550123/agentMessages", "phones/***0123/agentMessages"),
        ("to=%2b447700900123&x=1", "to=***0123&x=1"),
        ('{"to":"17705550123"}', '{"to":"***0123"}'),
        ("call +1 (770) 555-0123 now", "call ***0123 now"),
        ("+44 7700 900123", "***0123"),
        ("2018-08-17T18:55:10.100Z", "2018-08-17T18:55:10.100Z"),
        ("01934d6e-7c1a-7000-8000-123456789012", "01934d6e-7c1a-7000-8000-123456789012"),
        ("files/jkl7y5btiioJTIjSNahX0heD", "files/jkl7y5btiioJTIjSNahX0heD"),
        ('"latitude":37.4220188', '"latitude":37.4220188'),
        ("code 404", "code 404"),
    ],
)
def test_numbers(given_text, expected):
    assert redact.text(given_text) == expected


@given(st.text(alphabet='abc {}":,+/%?=&', max_size=12), st.from_regex(r"[1-9][0-9]{7,14}", fullmatch=True))
def test_no_number_survives_after_a_plus(before, number):
    for sign in ("+", "%2B"):
        assert number not in redact.text(f"{before}{sign}{number}")
        assert number not in redact.url(f"https://host/{before}{sign}{number}/x")


@pytest.mark.parametrize(
    "given_text",
    [
        '{"access_token":"s3cr3t-value","expires_in":3599}',
        '{"access_token" : "s3cr3t-value"',
        '{"private_key":"s3cr3t-value\\nmore"}',
        '{"clientToken":"s3cr3t-value"}',
        "Authorization: Bearer s3cr3t-value",
    ],
)
def test_credentials_under_their_usual_names(given_text):
    shown = redact.text(given_text)
    assert "s3cr3t" not in shown
    assert "***" in shown


def test_credentials_in_a_query():
    assert redact.url("https://host/a?access_token=abc&x=1&key=def") == "https://host/a?access_token=***&x=1&key=***"


def test_a_secret_across_the_cut_leaves_nothing():
    body = b"x" * (redact.KEPT_BYTES - 4) + b"s3cr3t-value"
    assert "s3cr" not in redact.body(body, ["s3cr3t-value"])


def test_a_long_body_is_cut():
    assert len(redact.body(b"x" * 100_000)) == redact.KEPT_BYTES


async def test_a_note_of_an_answer_holds_neither_token_nor_number(client, serve):
    def build(server):
        async def talk(reader, writer):
            request = await server.read_request(reader)
            echoed = request.split(b"\r\n\r\n")[0] + b" +17705550123"
            writer.write(b"HTTP/1.1 400 Bad\r\nContent-Length: %d\r\n\r\n" % len(echoed) + echoed)
            await writer.drain()

        return talk

    server = await serve(build)
    response = await client.request(
        "POST",
        server.url + "&sig=abcdef",
        deadline=asyncio.get_running_loop().time() + 2,
        headers={"Authorization": "Bearer tok-123456", "x-key": "brand-secret"},
        body=b"{}",
        secrets=["brand-secret"],
    )
    assert b"tok-123456" in response.body  # the answer itself is whole
    kept = repr(response.exchange)
    for private in ("tok-123456", "brand-secret", "7705550123", "abcdef"):
        assert private not in kept
    assert response.exchange.url.endswith("/v1/phones/***0123/agentMessages?messageId=m-1&sig=***")


async def test_an_error_with_its_whole_trace_holds_neither_token_nor_number(client, serve):
    def build(server):
        async def talk(reader, writer):
            await server.read_request(reader)

        return talk

    server = await serve(build)
    with pytest.raises(SendError) as caught:
        await client.request(
            "POST",
            server.url,
            deadline=asyncio.get_running_loop().time() + 2,
            headers={"authorization": "Bearer tok-123456"},
            body=b"{}",
        )
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value.exchange) + caught.value.sentence
    assert caught.value.__context__ is None
    assert "7705550123" not in told
    assert "tok-123456" not in told
