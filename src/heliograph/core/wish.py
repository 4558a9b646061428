"""Free wording that may mean "write no more": flagged for the agent, never taken for a keyword.

A modest list, on purpose: it knows who is to stop what ("stop texting me", "lose my number"), not the word "stop"
alone, so that "I can't stop by the gate" stays an answer. What it misses an agent still reads.
"""

from __future__ import annotations

import re

from heliograph.core.keyword import Keyword, fold, read

LONGEST = 600  # characters that are looked at: whoever writes more has something else to say first

# One phrase a line, folded as core.keyword does. `a/b`: either; `text*`: a beginning; `…`: up to four words between.
_WISHES = """
stop/quit/cease … text*/messaging/messages/sms/contacting/writing/spam*/alerts/notifications/bothering
no more text/texts/messages/sms/alerts/notifications
don't/dont/never … text/message/contact/write/sms/spam/bother … me/again/anymore
do not … text/message/contact/write/sms/spam/bother … me/again/anymore
don't/dont want/need/wish … text/texts/messages/sms/alerts/notifications
do not want/need/wish … text/texts/messages/sms/alerts/notifications
lose/delete/forget/erase/remove my/this … number
take/remove/get/drop me off/from/out … list/lists/messages/texts/database
unsubscribe me/from/please
please unsubscribe
opt/opting … out
leave me alone

hor/hort/horen … auf … schreib*/text*/sms/nachrichten/schick*/send*
bitte/will/mochte/wunsche/schick*/send* … keine … nachricht/nachrichten/sms
keine … nachrichten/sms mehr
nicht/nie mehr/wieder/weiter … schreib*/anschreib*/kontaktier*/texten
losch*/entfern* … meine … nummer/handynummer/telefonnummer
lass/lasst mich … in ruhe

no/nunca … escrib*/envi*/mand*/contact* … mas/mensajes/sms
no quiero … mensajes/sms
deja/deje/dejen/paren/pare de … escrib*/envi*/mand*/molest*
borr* mi numero/telefono

nao … envi*/mand*/escrev* … mais/mensagem/mensagens/sms
nao quero … mensagens/sms
pare/parem/para de … envi*/mand*/escrev*
apag* … meu numero

arrete/arretez/cessez de m'ecrire/m'envoyer/m'envoyez/m'ecrivez/m'harceler/m'contacter/me
ne m'ecri*/m'envo*/m'appel* plus
ne me contact* plus
plus … de messages/sms/textos
supprim* mon numero

non … scriv*/mand*/invi*/contatt* … piu/messaggi/sms
non scriv*/mandatemi/inviatemi/contattatemi piu
non voglio … messaggi/sms
basta/smett* … messaggi/sms/scriver*/mandar*/inviar*
cancell* il mio numero

stop/hou met/op … sms*/berichten/appen/schrijven/sturen
geen … berichten/sms meer
sluta/slutt/stop med/att/a … skriv*/skick*/send*/sms*
sluta skriva/skicka
inga/ingen fler/flere … meddelanden/sms/beskeder/meldinger

nie pisz*/wysylaj* … do/wiecej/sms
prosze nie pisac

не пиши/пишите/присылайте/присылаи/шлите/надсилаите/пишіть
хватит/перестань/перестаньте/прекратите/досить … пис*/присыл*/слать/надсил*/смс/сообщ*/повідом*
не хочу … смс/сообщ*/повідом*
"""

# Remarks about messages that did not come, and questions about us.
_OTHERS = """
why did/have/has/do you/i/we/the/my
i/we haven't/havent/didn't/didnt/don't/dont get/got/receive/received/have
i/we have/did not get/got/receive/received
habe … keine/nicht … bekommen/erhalten
non ho
no he/recibi
n'ai pas
nao recebi
heb geen
не пришл*/получ*/приход*/отрим*
"""

# STOP and a courtesy: "stop please", "please stop", "ok stop it".
_COURTESIES = frozenset(
    ("please", "pls", "plz", "ok", "okay", "just", "now", "it", "this", "already", "thanks", "thank", "you", "bitte")
)


Phrases = dict[str, list[re.Pattern[str]]]


def _phrases(table: str) -> Phrases:
    """Phrases by the two letters that they begin with: one regular expression of all of them took a millisecond."""
    found: Phrases = {}
    for line in table.splitlines():
        if parts := line.split():
            pattern = re.compile("".join(_part(part) for part in parts))
            for start in {word[:2] for word in parts[0].split("/")}:
                found.setdefault(start, []).append(pattern)
    return found


def _part(part: str) -> str:
    if part == "…":
        return r"(?:\S+ ){0,4}?"
    return "(?:" + "|".join(re.escape(word).replace(r"\*", r"\w*") for word in part.split("/")) + ") "


def _has(phrases: Phrases, words: list[str]) -> bool:
    """Whether one of them stands in a row of words."""
    text, at = " ".join(words) + " ", 0
    for word in words:
        if any(pattern.match(text, at) for pattern in phrases.get(word[:2], ())):
            return True
        at += len(word) + 1
    return False


_WISH, _OTHER = _phrases(_WISHES), _phrases(_OTHERS)
_SIGNS = re.compile(r"[^\w\s']+")


def is_one(text: str, languages: tuple[str, ...] = ()) -> bool:
    """Whether these words may mean that no more messages are wanted, for a person to judge. A keyword is none: it is
    obeyed."""
    words = _SIGNS.sub(" ", fold(text[:LONGEST])).split()
    if not words or read(text, languages) is not None or _has(_OTHER, words):
        return False
    if _has(_WISH, words):
        return True
    first = text.strip().splitlines()[0]
    bare = " ".join(word for word in words if word not in _COURTESIES)
    return any(read(one, languages) is Keyword.STOP for one in (first, bare))
