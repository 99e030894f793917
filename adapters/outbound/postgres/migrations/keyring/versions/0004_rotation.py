"""More than one key of an account: which one a mark is under, and the keys of earlier blind indexes."""

from alembic import op

revision = "0004_rotation"
down_revision = "0003_epochs"


def upgrade() -> None:
    op.get_bind().exec_driver_sql("ALTER TABLE account_keys ADD chain bytea")
    op.get_bind().exec_driver_sql("ALTER TABLE endings ADD version smallint NOT NULL DEFAULT 1")
