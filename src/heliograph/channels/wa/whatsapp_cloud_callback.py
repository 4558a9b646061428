"""WhatsApp's webhook: its challenge, its signature, its envelope. What the single events mean is read by
whatsapp_cloud_events.py. Pure: no clock, no store.

A GET asks once whether the address is ours. POSTs are signed over their raw bytes and hold up to 1,000 events of all
numbers of an app; Meta counts only a 200, repeats for 7 days, and neither order nor number of deliveries is promised.
Source: developers.facebook.com …/whatsapp/webhooks/create-webhook-endpoint (21 May 2026).
"""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import msgspec

from heliograph.channels import kit
from heliograph.channels.wa import whatsapp_cloud_events as events
from heliograph.core.event import ProviderEvent, UnknownEvent
from heliograph.core.ports import Answer, Call, Heard
from heliograph.errors import CallRefused

SIGNATURE = "x-hub-signature-256"  # "sha256=" and the hex HMAC-SHA256(app secret, raw body)
OBJECT = "whatsapp_business_account"

Raws = tuple[msgspec.Raw, ...]


class _Envelope(msgspec.Struct):
    """Entries and changes stay raw, so that one that cannot be read stops no neighbour."""

    object: str = ""
    entry: Raws = ()


class _Entry(msgspec.Struct):
    id: str = ""  # of the WhatsApp Business Account
    changes: Raws = ()


class _Change(msgspec.Struct):
    value: msgspec.Raw
    field: str = ""


class _Metadata(msgspec.Struct):
    phone_number_id: str = ""


class _Value(msgspec.Struct):
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)
    contacts: Raws = ()
    statuses: Raws = ()
    messages: Raws = ()
    user_preferences: Raws = ()
    errors: Raws = ()


_read_envelope = msgspec.json.Decoder(_Envelope).decode
_read_entry = msgspec.json.Decoder(_Entry, strict=False).decode
_read_change = msgspec.json.Decoder(_Change).decode
_read_value = msgspec.json.Decoder(_Value, strict=False).decode


class Secrets(msgspec.Struct, frozen=True):
    """What callbacks are held against. `account`: the id of our WhatsApp Business Account, where it is known."""

    phone_number_id: str
    app_secret: str
    verify_token: str
    account: str = ""


def read(call: Call, ours: Secrets) -> Heard:
    """The events of one callback. Raises CallRefused for one that is not Meta's."""
    if call.method == "GET":
        return _challenge(call, ours)
    if not ours.app_secret:
        raise CallRefused(
            f"Phone number {ours.phone_number_id} has no app_secret, so no callback can be told from a forged one. Put "
            "the app's secret into the sender's settings and apply the site.",
            code="no_app_secret",
        )
    given = call.headers.get(SIGNATURE, "")
    if not given:
        raise CallRefused(
            f"The callback for phone number {ours.phone_number_id} has no X-Hub-Signature-256. If it is Meta's, a "
            "proxy drops the header.",
            code="unsigned",
        )
    if not kit.same(given, f"sha256={kit.hmac_hex(ours.app_secret, call.body, 'sha256')}"):
        raise CallRefused(
            f"The X-Hub-Signature-256 of a callback for phone number {ours.phone_number_id} does not match app_secret. "
            "If the secret was changed at Meta, apply the site with the new one; Meta repeats the callback for 7 days.",
            code="bad_signature",
        )
    try:
        envelope = _read_envelope(call.body)
    except kit.UNREADABLE:
        envelope = _Envelope()
    if envelope.object != OBJECT:
        raise CallRefused(
            f"This is the webhook of WhatsApp phone number {ours.phone_number_id}; the body is no event of a WhatsApp "
            "Business Account. Subscribe the app to that object alone.",
            code="not_a_callback",
        )
    heard: list[ProviderEvent] = []
    for entry in envelope.entry:
        _of_entry(entry, ours, heard)
    return Heard(events=tuple(heard))


def _challenge(call: Call, ours: Secrets) -> Heard:
    asked = dict(parse_qsl(urlsplit(call.url).query, keep_blank_values=True))
    if asked.get("hub.mode") != "subscribe" or "hub.challenge" not in asked:
        raise CallRefused(
            f"This is the webhook of WhatsApp phone number {ours.phone_number_id}; the GET is not Meta's question "
            "whether the address is ours.",
            code="not_a_callback",
        )
    if not ours.verify_token:
        raise CallRefused(
            f"Phone number {ours.phone_number_id} has no verify_token. Put a word of your choice into the sender's "
            "settings, apply the site, and give Meta the same.",
            code="no_verify_token",
        )
    if not kit.same(asked.get("hub.verify_token", ""), ours.verify_token):
        raise CallRefused(
            f"The verify token that Meta was given is not phone number {ours.phone_number_id}'s verify_token. Make "
            "them the same and verify again.",
            code="bad_signature",
        )
    return Heard(events=(), answer=Answer(body=asked["hub.challenge"].encode(), headers={"content-type": "text/plain"}))


def _of_entry(raw: msgspec.Raw, ours: Secrets, heard: list[ProviderEvent]) -> None:
    try:
        entry = _read_entry(raw)
    except kit.UNREADABLE:
        heard.append(events.unknown("unreadable", raw))
        return
    for change in entry.changes:
        _of_change(change, entry.id, ours, heard)


def _of_change(raw: msgspec.Raw, account: str, ours: Secrets, heard: list[ProviderEvent]) -> None:
    try:
        change = _read_change(raw)
        value = _read_value(change.value)
    except kit.UNREADABLE:
        heard.append(events.unknown("unreadable", raw))
        return
    number = value.metadata.phone_number_id
    if number and number != ours.phone_number_id:
        return  # an app has one webhook for all its numbers; this one is another sender's
    if not number and ours.account and account and account != ours.account:
        return
    found = len(heard)
    if change.field == "messages":
        people = events.people(value.contacts)
        heard.extend(events.status(one) for one in value.statuses)
        heard.extend(events.message(one, people) for one in value.messages)
        heard.extend(events.fault(one) for one in value.errors)
    elif change.field == "user_preferences":
        people = events.people(value.contacts)
        heard.extend(events.preference(one, people) for one in value.user_preferences)
    if len(heard) == found:
        # A template's status, a number's quality, an account's: kept and counted under its own word.
        name = kit.fingerprint(account.encode() + bytes(raw))
        heard.append(UnknownEvent(event=name, kind=change.field or "unnamed", raw=raw))
