"""Metrics: counted cheaply, read by Prometheus, bounded, without personal data."""

from __future__ import annotations

from heliograph.meters import ROOM, Meters


def test_counts_by_label() -> None:
    meters = Meters()
    meters.call("/api/proactiveAlert", 200, 0.004)
    meters.call("/api/proactiveAlert", 200, 0.004)
    meters.attempt("google-rbm", "taken", 0.2)
    meters.capability("rcs", "yes")
    meters.due("attempt", 0.5)
    text = meters.exposition()[0].decode()
    assert 'heliograph_calls_total{route="/api/proactiveAlert",status="200"} 2.0' in text
    assert 'heliograph_call_seconds_bucket{le="0.005",route="/api/proactiveAlert"} 2.0' in text
    assert 'heliograph_attempts_total{outcome="taken",provider="google-rbm"} 1.0' in text
    assert 'heliograph_provider_seconds_count{provider="google-rbm"} 1.0' in text


def test_labels_are_bounded_and_hold_no_number() -> None:
    meters = Meters()
    for index in range(ROOM + 50):
        meters.event("rcs", f"kind{index}")
    meters.alert("+17703101414", "rcs")
    text = meters.exposition()[0].decode()
    assert text.count("heliograph_events_total{") == ROOM + 1
    assert 'heliograph_events_total{channel="other",kind="other"} 50.0' in text
    assert "7703101414" not in text


def test_senders_are_shown_as_they_are_now_and_unwell_ones_first() -> None:
    from heliograph.core.site import SenderReport
    from heliograph.gauges import ROOM as SENDERS
    from heliograph.gauges import SenderNow

    def now(name: str, state: str, **more: int) -> SenderNow:
        report = SenderReport(site="1", sender=name, node="n", at=1, state=state, good=3, bad=1, throttled=7)
        return SenderNow(provider="twilio", report=report, **more)

    meters = Meters()
    meters.senders = lambda: [*(now(f"a{n:03}", "closed") for n in range(SENDERS)), now("z", "open", in_doubt=2)]
    text = meters.exposition()[0].decode()
    labels = 'provider="twilio",sender="z",site="1"'
    assert f'heliograph_sender_state{{{labels},state="open"}} 1.0' in text
    assert f'heliograph_sender_state{{{labels},state="closed"}} 0.0' in text
    assert f"heliograph_sender_failure_share{{{labels}}} 0.25" in text
    assert f"heliograph_sender_in_doubt{{{labels}}} 2.0" in text
    assert f"heliograph_sender_throttled_total{{{labels}}} 7.0" in text
    assert 'sender="a298"' in text and 'sender="a299"' not in text
