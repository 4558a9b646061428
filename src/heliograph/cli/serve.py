"""`heliograph serve` and `heliograph sandbox`: the two that stay."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from heliograph.cli import given


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
    provider: Annotated[list[str] | None, given.Many] = None,
    webhook: Annotated[list[str] | None, given.Many] = None,
    scenario: Path | None = None,
    seed: int | None = None,
    smpp_port: int = 0,
    no_receipts: Annotated[bool, given.Switch] = False,
    json: given.Json = False,
    config: given.Config = None,
    **flags: given.Flags,
) -> None:
    """Run the simulated outside world: providers' APIs, desks, and handsets in the browser.

    It plays Google RBM, WhatsApp Cloud, Twilio and an SMS centre (SMPP) with the senders of the example sites, and the
    desks where agents work, with an account at LivePerson. Credentials are made at the first start, kept in --data, and
    printed, with the variables by which `heliograph apply examples/acme-air` (and acme-air-liveperson) finds them.
    Anything else that speaks to these providers and desks can be pointed at it: only the base address differs. It keeps
    no message. Without --sandbox-token it answers on a loopback address alone.

    What it can be told and asked while it runs (phones, misbehaviour, log, counts, reset) is under /sandbox/ at its
    address; docs/how-to/sandbox.md shows how to use it in a CI.

    Parameters
    ----------
    data
        A folder for what is secret (key file, tokens, passwords); made if it is not there.
    provider
        Play this provider or desk alone; may be repeated. All if not given.
    webhook
        Where events are posted: an address for all, or PROVIDER=ADDRESS (a desk likewise); may be repeated. The server
        on this machine (--host, --port) if not given.
    scenario
        A file (TOML or JSON) that says what goes wrong when, and what people do; --seed wins over the seed in it.
    seed
        The same seed gives the same story; 0 if not given.
    smpp_port
        The SMS centre's port; 0 takes a free one, which is printed.
    no_receipts
        Messages reach the handsets and nobody is told, for loads that would drown in callbacks.
    """
    settings = given.settings(config, flags)
    from heliograph.cli import stage_shown
    from heliograph.running import run_sandbox
    from heliograph.sandbox import Pace, read_scenario

    written = given.text(scenario, "--scenario") if scenario else b""
    run_sandbox(
        settings,
        data,
        webhook=stage_shown.webhooks(webhook or [], f"http://{settings.host}:{settings.port}"),
        providers=provider or (),
        line_ports={"smpp": smpp_port},
        scenario=read_scenario(written, name=str(scenario)) if scenario else None,
        seed=seed,
        pace=Pace(receipts=not no_receipts),
        ready=stage_shown.as_json if json else stage_shown.as_table,
    )
