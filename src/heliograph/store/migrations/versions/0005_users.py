"""Users, sessions, tries to log in, the audit log."""

from heliograph.store.schema import run_script

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script("0005_users")
