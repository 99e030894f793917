"""An index by which jobs of some kinds are found, however many of the others are due."""

from alembic import op

revision = "0034_jobs_by_name"
down_revision = "0033_webhook_endpoints"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(
        "CREATE INDEX jobs_by_name_due_at ON jobs (name, due_at) WHERE state <> 'dead'"
    )
