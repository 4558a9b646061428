"""What the brand is told: events that wait for its endpoint."""

from heliograph.store.schema import run_script

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script("0006_outbox")
