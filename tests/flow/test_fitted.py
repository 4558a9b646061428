"""One content on two channels: each sender gets it as its provider carries it, and the record says by which rules."""

from __future__ import annotations

import msgspec

from flow.test_send import record, sent
from flow.world import SITE, House, Plug, refusal
from heliograph.core.channel import Carries
from heliograph.core.content import Card, CardBody, Content, File, Media, Reply, Text
from heliograph.core.event import Inbound
from heliograph.core.template import Template, Variable
from heliograph.errors import Fate

CARD = Card(card=CardBody(title="Flight at @Time", suggestions=(Reply(text="See Menu", postback="menu"),)))


async def test_the_second_channel_gets_the_card_as_text_and_its_number_is_a_tap(house: House) -> None:
    rich, bare = Plug(), Plug()
    rich.CARRIES = Carries(cards=True, suggestions=frozenset({"reply"}), most=11)
    bare.CARRIES = Carries()
    house.plugs = {"rcs": rich, "sms": bare}
    await house.set_up(channels=("rcs", "sms"))
    variables = (Variable(name="Time"),)
    await house.store.put_template(
        Template(site=SITE, name="delay", version="2", variables=variables, languages={"en": {"any": CARD}})
    )
    await house.means.registry.refresh(house.store)
    house.providers["rcs"].script = [refusal(Fate.NEXT_CHANNEL, "cannot_reach")]
    result = await sent(house)
    kept = await record(house, result.alert)
    first, second = kept.attempts
    assert isinstance(first.content, Card)
    assert second.content == Text(text="Flight at 7:35 pm\n1. See Menu", options=CARD.card.suggestions)
    considered = msgspec.json.decode(kept.decision)["considered"]
    assert [line["rules"][:1] for line in considered] == [[], ["The card is sent as text."]]
    said = Inbound(event="one", recipient=kept.alert.recipient, kind="text", text="1")
    joined = await house.store.hear(SITE, "sms", "a-sms", (said,), house.means.clock.now())
    assert joined[0].attempt == second.id
    assert (await house.store.inbound(SITE, kept.alert.recipient))[0].postback == "menu"


async def test_what_is_fitted_is_what_is_checked(house: House) -> None:
    seen: list[object] = []

    class Looking(Plug):
        CARRIES = Carries()

        def check(self, content: object) -> list[str]:
            seen.append(content)
            return []

    house.plugs = {"rcs": Looking()}
    await house.set_up()
    await house.store.put_template(
        Template(
            site=SITE, name="delay", version="2", variables=(Variable(name="Time"),), languages={"en": {"rcs": CARD}}
        )
    )
    await house.means.registry.refresh(house.store)
    await sent(house)
    assert all(isinstance(one, Text) for one in seen) and seen


async def test_a_sender_whose_settings_let_it_carry_more_gets_more(house: House) -> None:
    """A provider's own word on what it carries stands above its module's."""
    bare = Plug()
    bare.CARRIES = Carries()
    house.plugs = {"sms": bare}
    await house.set_up(channels=("sms",))
    photo = File(media=Media(url="https://acme.example/a.jpg"))
    variables = (Variable(name="Time"),)
    languages: dict[str, dict[str, Content]] = {"en": {"any": photo}}
    await house.store.put_template(
        Template(site=SITE, name="delay", version="2", variables=variables, languages=languages)
    )
    await house.means.registry.refresh(house.store)
    plain = await record(house, (await sent(house)).alert)
    assert isinstance(plain.attempts[0].content, Text)
    house.providers["sms"].carries = Carries(files=True)  # type: ignore[attr-defined]
    whole = await record(house, (await sent(house, external_alert_id="2")).alert)
    assert whole.attempts[0].content == photo
