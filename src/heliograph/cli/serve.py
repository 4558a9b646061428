"""`heliograph serve` and `heliograph sandbox`: the two that stay."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from heliograph.cli import given, say

if TYPE_CHECKING:
    from heliograph.stage import Stage


def serve(*, config: given.Config = None, **flags: given.Flags) -> None:
    """Run the server: the API, the callbacks of providers, and the work that is due.

    It stops on Ctrl-C or SIGTERM: takes no new call, finishes what is under way, then ends.
    """
    settings = given.settings(config, flags)
    from heliograph import running

    running.run(settings)


def sandbox(
    *,
    data: Path = Path("heliograph-sandbox"),
    webhook: str = "",
    seed: int = 0,
    no_receipts: Annotated[bool, given.Switch] = False,
    json: given.Json = False,
    config: given.Config = None,
    **flags: given.Flags,
) -> None:
    """Run the simulated outside world: providers' APIs and handsets in the browser.

    It knows the senders of examples/acme-air, and prints the variables with which `heliograph apply` finds it. It
    keeps no message. Without --sandbox-token it answers on a loopback address alone.

    Parameters
    ----------
    data
        A folder for the service account's key file and the webhook's token; made if they are not there.
    webhook
        Where the RBM agent's events are posted; the server on this machine (--host, --port) if not given, as for the
        other senders.
    seed
        The same seed gives the same story.
    no_receipts
        Messages reach the handsets and nobody is told, for loads that would drown in callbacks.
    """
    settings = given.settings(config, flags)
    from heliograph.running import run_sandbox
    from heliograph.sandbox import Pace

    def ready(stage: Stage) -> None:
        if json:
            say.json_line({"sandbox_url": stage.sandbox.url, "variables": stage.variables})
            return
        say.line(f"The sandbox answers at {stage.sandbox.url}/ (handsets in the browser).")
        say.line("Point the example site at it:")
        for name, value in stage.variables.items():
            say.line(f"  export {name}={shlex.quote(value)}")
        say.line("Ctrl-C stops it.")

    run_sandbox(
        settings,
        data,
        webhook=webhook,
        seed=seed,
        pace=Pace(receipts=not no_receipts),
        ready=ready,
    )
