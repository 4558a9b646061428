"""The sandbox's WhatsApp keeps what the example names: the same words, the same buttons."""

from __future__ import annotations

from pathlib import Path

from heliograph.stage_whatsapp import TEMPLATES

from heliograph import plugs, sitefile
from heliograph.core.content import Named
from heliograph.core.template import compile

EXAMPLE = Path(__file__).parent.parent / "examples" / "acme-air"


def test_the_declared_templates_are_the_examples() -> None:
    found = {(c.name, name): plug for c in plugs.channels().values() for name, plug in c.providers.items()}
    wanted = sitefile.read(EXAMPLE, {}, found, templates_only=True)
    flightdelay = compile(next(one for one in wanted.templates if one.name == "flightdelay"))
    values = {"City": "Lima", "Time": "8 pm", "Gate": "A1"}
    told = {}
    for language in flightdelay.languages:
        named = flightdelay.render(language, "wa", values)
        assert isinstance(named, Named) and named.name == "flight_delay"
        told[named.language] = (named.shown, tuple(one.text for one in named.suggestions))
        text = TEMPLATES[named.language][0]
        for number, parameter in enumerate(named.body, 1):
            text = text.replace(f"{{{{{number}}}}}", parameter.text)
        assert text == named.shown
    assert {language: buttons for language, (_, buttons) in told.items()} == {
        language: buttons for language, (_, buttons) in TEMPLATES.items()
    }
