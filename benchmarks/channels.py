"""What a synchronous alert costs on each channel: RCS, WhatsApp and SMS by Twilio, by the same server in the same run.

    .venv/bin/python benchmarks/channels.py --calls 4000 --rounds 3

The calls are those of sync_alert.py with `proactiveChannel`; the stub answers each provider's calls by its path. The
channels take turns within a round, so that whatever else the machine does meets all three. CPU time of the server's
process per call is what counts, and its ratio to RCS: WhatsApp and Twilio are to stay within 1.10. What they do not
have in common: RCS looks its capability up in memory, WhatsApp looks in the store when the recipient last wrote.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from sync_alert import EXAMPLE, HERE, PEOPLE, end, heliograph, measured, pinned, requests_for

CHANNELS = ("rcs", "wa", "sms")
AIM = 1.10


def senders(provider: int) -> dict[str, str]:
    """The example's variables for a number at WhatsApp and one at Twilio, both at the stub."""
    stub = f"http://127.0.0.1:{provider}"
    return {
        "ACME_WA_BASE_URL": stub,
        "ACME_WA_PHONE_NUMBER_ID": "106540352242922",
        "ACME_WA_ACCESS_TOKEN": "bench-access-token",
        "ACME_WA_APP_SECRET": "bench-app-secret",
        "ACME_WA_VERIFY_TOKEN": "bench-verify-token",
        "ACME_TWILIO_BASE_URL": stub,
        "ACME_TWILIO_ACCOUNT_SID": "AC0123456789abcdef0123456789abcdef",
        "ACME_TWILIO_AUTH_TOKEN": "bench-auth-token",
        "ACME_TWILIO_FROM": "+12025550100",
    }


def unpaced(directory: str) -> Path:
    """The example without WhatsApp's own rate: 80 messages a second would be waiting, not work."""
    site = Path(shutil.copytree(EXAMPLE, Path(directory) / "site"))
    text = (site / "site.toml").read_text()
    line = 'phone_number_id = "'
    assert text.count(line) == 1
    (site / "site.toml").write_text(text.replace(line, f"messages_per_second = 0\n{line}"))
    return site


def main() -> None:
    read = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    read.add_argument("--calls", type=int, default=4000, help="calls on each channel in a round")
    read.add_argument("--rounds", type=int, default=3)
    read.add_argument("--connections", type=int, default=64)
    given = read.parse_args()
    base = json.loads((EXAMPLE / "request.json").read_text())
    rounds: dict[str, list[dict[str, Any]]] = {channel: [] for channel in CHANNELS}
    with tempfile.TemporaryDirectory() as directory:
        stub = pinned(1, [sys.executable, str(HERE / "stub.py")], stdout=subprocess.PIPE)
        assert stub.stdout is not None
        provider = int(stub.stdout.readline())
        server, port, key = heliograph(directory, provider, senders(provider), unpaced(directory))

        def run(channel: str, count: int, mark: str) -> dict[str, Any]:
            asked = {**base, "proactiveChannel": channel}
            made = requests_for(port, count, key, asked, f"{mark}-{channel}")
            return measured(server, port, made, given.connections, directory)

        try:
            for channel in CHANNELS:  # connections, token, upload, capabilities
                run(channel, PEOPLE * 3, "warm")
            for n in range(given.rounds):
                order = CHANNELS[n % 3 :] + CHANNELS[: n % 3]  # none is always the last on a database that grows
                for channel in order:
                    rounds[channel].append(run(channel, given.calls, f"round-{n}"))
                took = ", ".join(f"{channel} {found[-1]['cpu_us']:.0f} us" for channel, found in rounds.items())
                print(f"round {n + 1}: {took}", file=sys.stderr)
        finally:
            end(server)
            stub.kill()
    for channel, found in rounds.items():
        ratios = [one["cpu_us"] / rcs["cpu_us"] for one, rcs in zip(found, rounds["rcs"], strict=True)]
        each = ", ".join(f"{ratio:.3f}" for ratio in ratios)
        verdict = "" if channel == "rcs" else f"  {'within' if median(ratios) <= AIM else 'ABOVE'} {AIM:.2f}"
        cpu, rate = median(r["cpu_us"] for r in found), median(r["per_second"] for r in found)
        failures, lost = sum(r["failures"] for r in found), sum(r["lost"] for r in found)
        print(
            f"{channel:<4} CPU {cpu:4.0f} us/call, {median(ratios):.3f} of RCS ({each}), {rate:6.0f}/s, "
            f"statuses {found[-1]['statuses']}, failures {failures}, lost {lost}{verdict}"
        )
        for sample in found[-1]["samples"]:
            print("  ", sample)


if __name__ == "__main__":
    main()
