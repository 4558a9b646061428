"""What operators see and write: who opted out how, attempts in doubt, nodes' reports of their senders."""

from heliograph.store.schema import run_script

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script("0002_operators")
