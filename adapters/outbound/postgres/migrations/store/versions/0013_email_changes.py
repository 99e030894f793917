"""The address that is to be confirmed, and the one before; what is audited about them."""

from alembic import op

revision = "0013_email_changes"
down_revision = "0012_acceptances"

STATEMENTS = r"""
ALTER TABLE accounts
    ADD new_email bytea CONSTRAINT accounts_new_email_is_sealed CHECK (new_email < '\x02'),
    ADD former_email bytea CONSTRAINT accounts_former_email_is_sealed CHECK (former_email < '\x02')

ALTER TYPE audit_kind ADD VALUE 'email_change_asked'

ALTER TYPE audit_kind ADD VALUE 'email_changed'
"""
"""One statement a paragraph."""


def upgrade() -> None:
    for statement in STATEMENTS.split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
