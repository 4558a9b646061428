"""The templates of `examples/acme-air` at the sandbox's WhatsApp, so that a phone shows their words."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from heliograph.core.ports import Call
from heliograph.errors import PlugError
from heliograph.sandbox import World

# As Meta approved them: what examples/acme-air/templates/flightdelay.toml names and shows.
TEMPLATES = {
    "en_US": (
        "Your flight to {{1}} is delayed. It now leaves at {{2}} from gate {{3}}.",
        ("See Menu of Functions", "Learn More"),
    ),
    "es": (
        "Su vuelo a {{1}} está retrasado. Ahora sale a las {{2}} por la puerta {{3}}.",
        ("Ver las opciones", "Más información"),
    ),
}


def declare(world: World, url: str, credentials: Mapping[str, str]) -> None:
    """Declares the example's templates at WhatsApp, so that a phone shows their words."""
    for language, (text, buttons) in TEMPLATES.items():
        body = {"type": "BODY", "text": text, "example": {"body_text": [["Kansas City", "7:35 pm", "C35"]]}}
        replies = [{"type": "QUICK_REPLY", "text": button} for button in buttons]
        declared: Mapping[str, object] = {
            "name": "flight_delay",
            "language": language,
            "category": "UTILITY",
            "components": [body, {"type": "BUTTONS", "buttons": replies}],
        }
        call = Call(
            method="POST",
            url=f"{url}/v23.0/{credentials['waba_id']}/message_templates",
            headers={"authorization": f"Bearer {credentials['access_token']}", "content-type": "application/json"},
            body=msgspec.json.encode(declared),
        )
        answer = world.twins["whatsapp-cloud"].answer(call, world)
        if answer.status != 200:
            said = answer.body.decode("utf-8", "replace")
            raise PlugError(f"The sandbox's WhatsApp does not take the example's template: {said}", code="plug_broken")
