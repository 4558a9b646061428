"""LivePerson's structured content as plain words: what a recipient can read of cards, buttons and quick replies.

Source: developers.liveperson.com, structured content templates. An element has a type; `vertical`, `horizontal`,
`carousel` and `list` hold others in `elements`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from heliograph.desks import kit

DEPTH = 12  # of elements within elements


def text(content: object) -> str:
    """The lines of a content, which is an object or the same as a text of JSON. Empty where nothing in it can be
    read."""
    if isinstance(content, str):
        try:
            content = msgspec.json.decode(content)
        except kit.UNREADABLE:
            return ""
    lines: list[str] = []
    _walk(content, lines, DEPTH)
    return "\n".join(lines)


def replies(told: object) -> str:
    """The choices below a message."""
    if not isinstance(told, dict):
        return ""
    if isinstance(told.get("content"), str | dict):
        return text(told["content"])
    return text({"elements": told.get("replies")})


def _walk(element: Any, lines: list[str], depth: int) -> None:
    if not isinstance(element, dict) or depth == 0:
        return
    match element.get("type"):
        case "text":
            _add(lines, element.get("text"))
        case "button":
            label = element.get("title") or element.get("text")
            _add(lines, f"- {label}{_link(element)}" if isinstance(label, str) and label.strip() else "")
        case "link" | "linkPreview":
            _add(lines, element.get("title"))
            _add(lines, element.get("url"))
        case "image":
            _add(lines, element.get("caption"))
            _add(lines, element.get("url"))
        case "map":
            _add(lines, f"{element.get('tooltip') or 'Map'}: {element.get('la')}, {element.get('lo')}")
    for name in ("header", "elements", "replies"):
        within = element.get(name)
        for one in within if isinstance(within, list) else [within]:
            _walk(one, lines, depth - 1)


def _link(button: dict[str, Any]) -> str:
    click = button.get("click")
    actions = click.get("actions") if isinstance(click, dict) else None
    for action in actions if isinstance(actions, list) else ():
        if isinstance(action, dict) and action.get("type") == "link" and isinstance(action.get("uri"), str):
            return f": {action['uri']}"
    return ""


def _add(lines: list[str], line: object) -> None:
    if isinstance(line, str) and line.strip() and line.strip() not in lines:
        lines.append(line.strip())
