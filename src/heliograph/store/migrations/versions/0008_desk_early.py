"""Words of a desk that come before its name for the conversation is known."""

from heliograph.store.schema import run_script

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script("0008_desk_early")
