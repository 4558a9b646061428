"""46elks' side of the wire for the sandbox, from its documentation alone (46elks.com/docs): it shares no line with the
adapter, or both would be wrong together."""

import json
import re
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode, urlsplit

from heliograph.core.content import Text
from heliograph.core.ports import Call
from heliograph.core.twin import (
    About,
    Arrival,
    Delivered,
    Expired,
    Failed,
    Happening,
    KnownSender,
    Posting,
    Said,
    Sent,
    TwinAnswer,
    World,
)

NAME = "46elks"
CHANNEL = "sms"
PREFIXES = ("/a1/",)
POSTING = Posting(any_2xx=True, kept_for=6 * 3_600_000)
NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
FORM = {"content-type": "application/x-www-form-urlencoded"}


def body_limit(path: str) -> int:
    return 65_536


def credentials(secret: Callable[[int], str]) -> dict[str, str]:
    """A new sender's; its `id` is what stands in `from`."""
    return {"username": f"u{secret(16)}", "password": secret(32)}


def challenge(sender: KnownSender, secret: str) -> None:
    return None  # 46elks checks no webhook


def answer(call: Call, world: World) -> TwinAnswer:
    account = [sender for sender in world.known(NAME) if _signs_in(call, sender)]
    if not account:
        return _refused(401, "API access requires Basic HTTP authentication", world)
    if (call.method, urlsplit(call.url).path.lower()) != ("POST", "/a1/sms"):
        return _refused(404, "Not found", world)
    form = _form(call.body)
    to, message = form.get("to", ""), f"s{world.new_id().replace('-', '')}"
    sender = next((one for one in account if one.id == form.get("from")), None)
    if sender is None or not NUMBER.fullmatch(to) or not form.get("message"):
        return _refused(400, "Invalid from, to or message", world)
    ours = dict(parse_qsl(urlsplit(form.get("whendelivered", "")).query)).get("attempt", "")
    world.received(sender.id, ours or message)
    rule = world.misbehaviour("create", to, sender.id, ours or message, provider=NAME)
    do = rule.do if rule else ""
    if rule and do in ("throttle", "refuse", "error"):
        later = f"{rule.seconds:g}" if do == "throttle" else ""
        return _refused(rule.status, rule.code or "Refused", world, later)
    if do == "unreachable":
        return _refused(400, "Invalid to number", world)
    if do == "drop_before":
        return TwinAnswer(end="drop")
    told = {
        "id": message, "status": "created", "direction": "outgoing", "from": sender.id, "to": to,
        "message": form["message"], "created": _time(world.now()), "parts": 1, "cost": 5200,
    }  # fmt: skip
    body = json.dumps(told).encode()
    world.take(
        Arrival(
            id=message, ours=ours, sender=sender.id, provider=NAME, number=to, resource=call.body, answer=body,
            fails="" if world.reach(to).has_sms else "failed",
        )
    )  # fmt: skip
    if do in ("silent", "drop"):
        return TwinAnswer(end="hang" if do == "silent" else "drop")
    late = rule.seconds if rule and do == "slow" else 0.0
    return TwinAnswer(status=200, body=body, headers={"content-type": "application/json"}, delay=late)


def tell(happening: Happening, sender: KnownSender, world: World) -> Call | None:
    """A report goes to the message's own `whendelivered`, a person's words to the number's `sms_url`."""
    if isinstance(happening, Said):
        told = {
            "direction": "incoming", "id": f"s{happening.event.replace('-', '')}", "from": happening.number,
            "to": sender.id, "created": _time(happening.at), "message": happening.text,
        }  # fmt: skip
        return _posted(sender.webhook, told)
    words: dict[type[Happening], str] = {Sent: "sent", Delivered: "delivered", Failed: "failed", Expired: "failed"}
    status = words.get(type(happening))
    if status is None or not isinstance(happening, About):
        return None  # nobody knows whether an SMS was read
    report = {"id": happening.message, "status": status}
    if status == "delivered":
        report["delivered"] = _time(happening.at)
    return _posted(_form(happening.resource).get("whendelivered", ""), report)


def content(resource: bytes, world: World) -> Text:
    return Text(text=_form(resource)["message"])


def keyword(number: str, wanted: bool) -> str:
    return "START" if wanted else "STOP"


def _signs_in(call: Call, sender: KnownSender) -> bool:
    scheme, _, encoded = call.headers.get("authorization", "").partition(" ")
    try:
        given = b64decode(encoded, validate=True).decode()
    except ValueError:
        return False
    own = sender.credentials
    return scheme.lower() == "basic" and given == f"{own.get('username')}:{own.get('password')}"


def _refused(status: int, words: str, world: World, retry_after: str = "") -> TwinAnswer:
    world.note("refused", detail=f"{status}: {words}")
    later = {"retry-after": retry_after} if retry_after else {}
    return TwinAnswer(status=status, body=words.encode(), headers={"content-type": "text/plain", **later})


def _posted(url: str, fields: dict[str, str]) -> Call | None:
    return Call(method="POST", url=url, headers=FORM, body=urlencode(fields).encode()) if url else None


def _form(body: bytes) -> dict[str, str]:
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
