"""The sandbox's own API under /sandbox: phones, senders, desks, misbehaviour, scenario, log, counts, reset."""

from __future__ import annotations

from typing import Any

import msgspec

from heliograph.core.ports import Answer
from heliograph.errors import SetupError
from heliograph.sandbox import desks, person, phone_json, scenario
from heliograph.sandbox.handset import Switches
from heliograph.sandbox.magic import MAGIC
from heliograph.sandbox.register import SenderBody, register, told, verify_again
from heliograph.sandbox.rule import Rule, why
from heliograph.sandbox.story import begin, end
from heliograph.sandbox.world import World
from heliograph.sandbox.wrong import Wrong

_PARTS = (
    "handsets",
    "agents",
    "senders",
    "desks",
    "behaviour",
    "scenario",
    "lines",
    "log",
    "counts",
    "idle",
    "reset",
    "events",
)


async def control(method: str, path: str, query: dict[str, str], body: bytes, world: World) -> Answer:
    """Answers one call; `path` is what follows /sandbox/."""
    try:
        return _json(await _route(method, path.rstrip("/"), query, body, world))
    except Wrong as wrong:
        return _json({"error": wrong.sentence}, wrong.status)
    except SetupError as fault:
        return _json({"error": fault.sentence}, 400)
    except msgspec.DecodeError as fault:
        return _json({"error": f"The body cannot be read: {why(fault)}."}, 400)


async def _route(method: str, path: str, query: dict[str, str], body: bytes, world: World) -> Any:
    match method, path.split("/"):
        case "GET", ["handsets"]:
            return phone_json.overview(world)
        case "GET", ["handsets", number]:
            return phone_json.phone(world.reach(_number(number)), world)
        case "POST", ["handsets", number]:
            handset = world.handset(_number(number))
            person.switch(world, handset, _read(body, Switches))
            return phone_json.phone(handset, world)
        case "POST", ["handsets", number, action] if action in person.ACTIONS:
            handset = world.handset(_number(number))
            shape, do = person.ACTIONS[action]
            do(world, handset, _read(body, shape))
            return phone_json.phone(handset, world)
        case "GET", ["agents" | "senders" as word]:
            return {word: [told(sender, world) for sender in world.senders.values()]}
        case "POST", ["agents" | "senders"]:
            return await register(_read(body, SenderBody), world)
        case "POST", ["agents" | "senders", sender_id, "verify"]:
            return await verify_again(sender_id, world)
        case "GET", ["desks"]:
            return {"desks": [desks.told(known) for known in world.accounts_at_desks.values()]}
        case "POST", ["desks"]:
            return desks.register(_read(body, desks.DeskBody), world)
        case "GET", ["desks", desk, account]:
            return desks.shown(desks.account(desk, account, world), world)
        case "POST", ["desks", desk, account, "deeds"]:
            return desks.do(_read(body, desks.AgentDeed), desks.account(desk, account, world), world)
        case "GET", ["behaviour"]:
            return _behaviour(world)
        case "POST", ["behaviour"]:
            return world.behaviour.add(_read(body, Rule)).shown()
        case "DELETE", ["behaviour"]:
            world.behaviour.reset()
            return _behaviour(world)
        case "DELETE", ["behaviour", key] if key.isdecimal():
            world.behaviour.remove(int(key))
            return _behaviour(world)
        case "POST", ["lines", provider, "cut"]:
            world.cut(provider)
            return {"cut": provider}
        case "GET", ["scenario"]:
            return world.story.shown() if world.story else {"running": False}
        case "POST", ["scenario"]:
            return (await begin(world, scenario.read(body))).shown()
        case "DELETE", ["scenario"]:
            await end(world)
            return {"running": False}
        case "GET", ["idle"]:
            return {"idle": await world.settle(float(_whole(query, "timeout", 10)))}
        case "GET", ["log"]:
            at, lines = world.ledger.since(_whole(query, "since"))
            return {"next": at, "entries": msgspec.to_builtins(lines)}
        case "GET", ["counts"]:
            return world.ledger.counts(query.get("message", ""))
        case "POST", ["reset"]:
            await world.reset()
            return {"reset": True}
    if path.split("/")[0] in _PARTS:
        raise Wrong(405 if method not in ("GET", "POST") else 404, f"{method} /sandbox/{path} does nothing.")
    raise Wrong(404, f"/sandbox/{path[:80]} is not a part of the sandbox; README.md of the sandbox lists them.")


def _behaviour(world: World) -> dict[str, Any]:
    numbers = {f"+1 ??? 555 01{ending}": f"{row.channel}: {row.says}" for ending, row in MAGIC.items()}
    return {"rules": [active.shown() for active in world.behaviour.rules], "magic_numbers": numbers}


def _number(text: str) -> str:
    if not scenario.NUMBER.fullmatch(text):
        raise Wrong(
            400, f"{text[:30]!r} is not a number in E.164, e.g. +12025550100 (in an address: %2B for the plus)."
        )
    return text


def _whole(query: dict[str, str], name: str, usual: int = 0) -> int:
    text = query.get(name, str(usual))
    if not text.isdecimal():
        raise Wrong(400, f"{name} is {text[:20]!r}; it must be a whole number.")
    return int(text)


def _read(body: bytes, shape: type[msgspec.Struct]) -> Any:
    return msgspec.json.decode(body or b"{}", type=shape)


def _json(value: Any, status: int = 200) -> Answer:
    headers = {"content-type": "application/json; charset=utf-8", "cache-control": "no-store"}
    return Answer(status=status, body=msgspec.json.encode(value), headers=headers)
