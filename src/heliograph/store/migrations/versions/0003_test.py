"""Alerts of test keys are told from live ones without reading their journal."""

from heliograph.store.schema import run_script

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script("0003_test")
