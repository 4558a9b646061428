"""What is written of a hand-over, by itself."""

from __future__ import annotations

import pytest

from flow.world import refusal
from heliograph.core.alert import MOST_ATTEMPTS, Alert, Attempt, alert_of, attempt_id
from heliograph.core.content import Text
from heliograph.core.states import AlertState
from heliograph.errors import Fate
from heliograph.flow.handover import Handed, Verdict
from heliograph.flow.outcome import outcome_of

ID = "0198c2a4-7e1b-7c11-9d52-6f2e0a3b4000"
NOW, DAY = 1_800_000_000_000, 86_400_000


@pytest.mark.parametrize(
    ("number", "end", "state"),
    [(1, None, AlertState.SCHEDULED), (MOST_ATTEMPTS, AlertState.FAILED, None)],
)
def test_an_alert_that_was_tried_thousands_of_times_ends(number, end, state):
    """Its attempts' ids have room for 4,095 numbers; a further one would be found by no receipt."""
    alert = Alert(
        id=ID, site="s", created=NOW, expires=NOW + 15 * DAY, recipient="+17705550123", template="t",
        template_version="1", language="en", language_asked="", variables={}, skill="",
    )  # fmt: skip
    attempt = Attempt(
        id=attempt_id(ID, number), alert=ID, site="s", number=number, channel="sms", provider="twilio", sender="a",
        recipient=alert.recipient, content=Text(text="hi"), expires=alert.expires, created=NOW,
    )  # fmt: skip
    failed = Handed(verdict=Verdict.FAILED, tries=1, error=refusal(Fate.RETRY))
    outcome = outcome_of(alert, attempt, failed, None, NOW, 10.0, None)
    assert (outcome.end, outcome.alert_state) == (end, state)
    assert alert_of(attempt_id(ID, MOST_ATTEMPTS + 90)) == ID
