"""Live events of contacts and blocked numbers."""

from alembic import op

revision = "0035_live_contacts"
down_revision = "0034_jobs_by_name"

KINDS = ("contact.changed", "contact.deleted", "blocked_number.added", "blocked_number.deleted")


def upgrade() -> None:
    for kind in KINDS:
        op.get_bind().exec_driver_sql(f"ALTER TYPE live_kind ADD VALUE '{kind}'")
