"""Conversations and their turns; what is due is due in lanes."""

from heliograph.store.schema import run_script

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script("0004_conversations")
