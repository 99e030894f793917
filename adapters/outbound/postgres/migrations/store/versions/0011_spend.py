"""Why a message was not sent where none are sent any more."""

from alembic import op

revision = "0011_spend"
down_revision = "0010_passwords"


def upgrade() -> None:
    op.get_bind().exec_driver_sql("ALTER TYPE failure_reason ADD VALUE 'not_allowed' BEFORE 'carrier_outage'")
