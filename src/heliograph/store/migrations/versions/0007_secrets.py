"""Secrets that the installation makes for itself."""

from heliograph.store.schema import run_script

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script("0007_secrets")
