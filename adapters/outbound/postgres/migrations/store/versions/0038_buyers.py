"""By what an app store knows whose a purchase is."""

from alembic import op

revision = "0038_buyers"
down_revision = "0037_unused_accounts"

STATEMENTS = r"""
ALTER TABLE subscriptions
    ADD COLUMN buyer bytea CONSTRAINT subscriptions_buyer_is_sealed CHECK (buyer < '\x02')
"""
"""One statement a paragraph."""


def upgrade() -> None:
    for statement in STATEMENTS.split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
