"""A desk closes a conversation while the recipient speaks: nothing that was said is left where nobody looks."""

from __future__ import annotations

from heliograph.core.conversation import By, Closer, State
from heliograph.core.desk import AgentSaid, DeskClosed, DeskMoved, SiteDesk
from heliograph.core.event import Inbound
from heliograph.core.ports import DeskTaken, Inbox
from heliograph.store.desks import PAGE

MATT = "+17703101414"


async def hears(opened, made, text):
    said = Inbound(event=made.id(), recipient=MATT, kind="text", text=text)
    (place,) = await opened.hear(made.site, "rcs", made.sender, (said,), made.now)
    return place.conversation


async def closed_at_the_desk(opened, made):
    (joined,) = await opened.hear_desk(
        made.site, "chatwoot", (DeskClosed(event=made.id(), conversation="7"),), made.now
    )
    return joined.conversation


async def test_words_that_the_desk_has_not_taken_keep_it_open_to_be_opened_there_anew(opened, made):
    await opened.put_desk(SiteDesk(site=made.site, desk="chatwoot"))
    there = await hears(opened, made, "Where is my bag?")
    await opened.handed(DeskTaken(site=made.site, conversation=there, handed=1, reference="7"), made.now)
    assert await hears(opened, made, "Anybody?") == there
    await opened.claim_due(made.now, made.now + 1, "n", 9, 2)
    left = await closed_at_the_desk(opened, made)
    assert (left.state, left.reference, left.handed, left.agent) == (State.OPEN, "", 1, "")
    assert (await opened.turns(made.site, there))[-1].kind == "reopened"
    assert [row.ref for row in await opened.claim_due(made.now + 1, made.now + 9, "m", 9, 2)] == [there]


async def test_one_whose_words_were_all_taken_is_closed(opened, made):
    await opened.put_desk(SiteDesk(site=made.site, desk="chatwoot"))
    there = await hears(opened, made, "Where is my bag?")
    await opened.handed(DeskTaken(site=made.site, conversation=there, handed=1, reference="7"), made.now)
    over = await closed_at_the_desk(opened, made)
    assert (over.state, over.closed_by) == (State.CLOSED, Closer.DESK)
    after = await hears(opened, made, "Thank you")
    assert after != there
    turns = await opened.turns(made.site, there)
    assert [turn.text for turn in turns if turn.by is By.RECIPIENT] == ["Where is my bag?"]


async def test_a_desk_that_was_asked_under_a_name_that_is_over_changes_nothing(opened, made):
    await opened.put_desk(SiteDesk(site=made.site, desk="chatwoot"))
    there = await hears(opened, made, "Where is my bag?")
    await opened.handed(DeskTaken(site=made.site, conversation=there, handed=1, reference="7"), made.now)
    await hears(opened, made, "Anybody?")
    await closed_at_the_desk(opened, made)  # while the second turn was handed over
    late = DeskTaken(site=made.site, conversation=there, handed=2, reference="7", was="7")
    now = await opened.handed(late, made.now)
    assert (now.reference, now.handed) == ("", 1), "the question is opened there anew, where somebody reads it"


async def test_words_behind_hundreds_of_agents_turns_keep_it_open_too(opened, made):
    await opened.put_desk(SiteDesk(site=made.site, desk="chatwoot"))
    there = await hears(opened, made, "Where is my bag?")
    await opened.handed(DeskTaken(site=made.site, conversation=there, handed=1, reference="7"), made.now)
    spoken = tuple(AgentSaid(event=made.id(), conversation="7", text=f"{number}") for number in range(PAGE + 1))
    await opened.hear_desk(made.site, "chatwoot", spoken, made.now)
    await hears(opened, made, "Anybody?")
    assert (await closed_at_the_desk(opened, made)).state is State.OPEN


async def test_a_desk_that_takes_our_id_is_heard_before_its_opening_is_written_down(opened, made):
    await opened.put_desk(SiteDesk(site=made.site, desk="webhook"))
    there = await hears(opened, made, "Where is my bag?")
    said = AgentSaid(event=made.id(), conversation=there, text="I am a bot.")
    (elsewhere,) = await opened.hear_desk(made.site, "chatwoot", (said,), made.now)
    assert elsewhere.conversation is None, "another desk does not speak in it"
    (joined,) = await opened.hear_desk(made.site, "webhook", (said,), made.now)
    assert joined.turn is not None and joined.turn.text == "I am a bot."
    late = DeskTaken(site=made.site, conversation=there, handed=1, reference=there, was="")
    assert (await opened.handed(late, made.now)).reference == there


async def test_an_agents_name_that_no_index_takes_is_kept_all_the_same(opened, made):
    await opened.put_desk(SiteDesk(site=made.site, desk="chatwoot"))
    there = await hears(opened, made, "Where is my bag?")
    await opened.handed(DeskTaken(site=made.site, conversation=there, handed=1, reference="7"), made.now)
    for author in ("Ann\x00", "".join(f"{number}" for number in range(9_000))):
        moved = DeskMoved(event=made.id(), conversation="7", author=author)
        (joined,) = await opened.hear_desk(made.site, "chatwoot", (moved,), made.now)
        assert joined.conversation is not None and joined.conversation.agent == author
        assert [one.id for one in await opened.conversations(Inbox(site=made.site, agent=author))] == [there]
