"""Sealed secrets: they open with any key in force, with no other, and tell the next step."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.errors import SetupError
from heliograph.seal import Sealer, is_sealed, key_id, new_secret_key

OLD, NEW = "o" * 40, "n" * 40


@given(st.text())
def test_what_is_sealed_opens_to_the_same(text):
    sealer = Sealer([NEW])
    sealed = sealer.seal(text)
    assert is_sealed(sealed)
    assert sealer.open(sealed) == text


def test_two_seals_of_one_text_differ():
    sealer = Sealer([NEW])
    assert sealer.seal("a") != sealer.seal("a")


def test_a_seal_shows_nothing_of_the_text():
    assert "consumer-secret" not in Sealer([NEW]).seal("consumer-secret")


def test_rotation():
    former = Sealer([OLD]).seal("a")
    both = Sealer([NEW, OLD])
    assert both.open(former) == "a"
    assert not both.is_newest(former)
    fresh = both.seal("a")
    assert both.is_newest(fresh)
    assert Sealer([NEW]).open(fresh) == "a"


def test_another_key_cannot_open():
    with pytest.raises(SetupError, match="HELIOGRAPH_SECRET_KEY") as caught:
        Sealer([NEW]).open(Sealer([OLD]).seal("a"))
    assert key_id(OLD) in caught.value.sentence
    assert "former key" in caught.value.sentence


@given(st.integers(0, 60), st.integers(1, 255))
def test_a_changed_byte_is_seen(place, flip):
    import base64

    sealer = Sealer([NEW])
    head, _, body = sealer.seal("some secret text").rpartition(":")
    raw = bytearray(base64.urlsafe_b64decode(body))
    raw[place % len(raw)] ^= flip
    with pytest.raises(SetupError, match="bytes were changed"):
        sealer.open(f"{head}:{base64.urlsafe_b64encode(bytes(raw)).decode()}")


@pytest.mark.parametrize("value", ["", "plain", "sealed:2:x:y"])
def test_what_is_no_seal_is_said_to_be_none(value):
    assert not is_sealed(value)
    with pytest.raises(SetupError, match="not a sealed value"):
        Sealer([NEW]).open(value)


def test_rubbish_behind_the_mark():
    with pytest.raises(SetupError, match="bytes were changed"):
        Sealer([NEW]).open(f"sealed:1:{key_id(NEW)}:!")


def test_no_key_at_all():
    with pytest.raises(SetupError, match="keys secret"):
        Sealer([])


def test_fresh_keys_differ_and_are_long_enough():
    keys = {new_secret_key() for _ in range(50)}
    assert len(keys) == 50
    assert min(map(len, keys)) >= 43


def test_a_sealer_prints_no_key():
    assert NEW not in repr(Sealer([NEW]))
