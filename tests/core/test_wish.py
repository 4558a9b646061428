"""Free wording that an agent is to judge, and what only sounds like it."""

from __future__ import annotations

import pytest

from heliograph.core import wish

WISHES = """
please don't text me again
dont text me anymore
lose my number
Stop texting me!
STOP SENDING ME MESSAGES
Do not contact me anymore
I don't want any more of these texts
take me off this list
stop please
Please, stop.
Unsubscribe me
please cancel
leave me alone
no more messages
hör auf mir zu schreiben
Hören Sie bitte auf, mir SMS zu schicken
bitte keine SMS mehr
Löschen Sie meine Nummer
no me escriban más
dejen de enviarme mensajes
não me enviem mais mensagens
arrêtez de m'envoyer des messages
ne m’écrivez plus
non scrivetemi più
stop met berichten sturen
sluta skicka sms
nie piszcie do mnie
не пишите мне больше
""".strip().splitlines()

ANSWERS = """
I can't stop by the gate
when does the flight end?
Where is the bus stop?
is this the last stop
Cancel my flight to Rome
I want to quit my plan
can you text me again?
please message me the gate
don't forget my bag
I don't want to go
I don't have the message
can I remove a bag?
Will the train stop in Lyon?
Stop over in Dubai?
why did you stop texting me?
I never got a message
I didn't get any more messages
delete my booking
take me to the airport
get me on the next flight
Ich habe keine Nachricht bekommen
Hört der Streik auf?
Können Sie mir schreiben?
no recibí el mensaje
no puedo ir a la puerta
je n'ai pas reçu de SMS
non ho ricevuto messaggi
ik heb geen bericht gekregen
не пришло сообщение
My number is +1 202 555 0100
ok
1
👍
""".strip().splitlines()


@pytest.mark.parametrize("said", WISHES)
def test_a_wish_is_flagged(said):
    assert wish.is_one(said, ("en", "de"))


@pytest.mark.parametrize("said", [*ANSWERS, "", "   ", "\n"])
def test_an_answer_is_not(said):
    assert not wish.is_one(said, ("en", "de"))


def test_a_keyword_is_obeyed_and_not_judged():
    assert not wish.is_one("STOP")
    assert wish.is_one("Stop\n\nSent from my telephone")
    assert not wish.is_one("Abmelden", ("de",)), "a keyword where German counts"


def test_a_long_text_is_read_from_its_beginning():
    assert wish.is_one("stop texting me " + "x" * 100_000)
    assert not wish.is_one("x " * 50_000 + "stop texting me")
