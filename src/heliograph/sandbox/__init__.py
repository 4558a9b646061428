"""The sandbox: the outside world of heliograph, played by the providers' documentation. See README.md beside this.

    world = World(twins, clock=clock, seed=7)
    async with await serve(world) as sandbox:
        key_file = make_service_account(world, token_uri=f"{sandbox.url}/token")
        world.add_sender(KnownSender(id="acme-air", provider="google-rbm", name="Acme Air", webhook=…, secret=…))

`twins` come from plugs.twins(): the sandbox imports no channel. The precise contract of a twin is core/twin.py.
"""

from heliograph.core.twin import KnownSender
from heliograph.sandbox.accounts import make_service_account, read_account, read_accounts
from heliograph.sandbox.asgi import asgi
from heliograph.sandbox.delivery import Pace
from heliograph.sandbox.magic import MAGIC
from heliograph.sandbox.register import verify
from heliograph.sandbox.rule import Match, Rule
from heliograph.sandbox.scenario import Scenario
from heliograph.sandbox.scenario import read as read_scenario
from heliograph.sandbox.serve import Running, serve
from heliograph.sandbox.story import begin
from heliograph.sandbox.world import World

__all__ = [
    "MAGIC",
    "KnownSender",
    "Match",
    "Pace",
    "Rule",
    "Running",
    "Scenario",
    "World",
    "asgi",
    "begin",
    "make_service_account",
    "read_account",
    "read_accounts",
    "read_scenario",
    "serve",
    "verify",
]
