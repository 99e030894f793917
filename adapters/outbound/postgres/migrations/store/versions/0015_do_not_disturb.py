"""The hours in which a line does not disturb."""

from alembic import op

revision = "0015_do_not_disturb"
down_revision = "0014_session_label"

STATEMENT = r"""
ALTER TABLE phone_lines
    ADD COLUMN do_not_disturb bytea
        CONSTRAINT phone_lines_do_not_disturb_is_sealed CHECK (do_not_disturb < '\x02')
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(STATEMENT)
