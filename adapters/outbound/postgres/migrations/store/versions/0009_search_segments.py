"""The words of messages, in sealed segments."""

from alembic import op

revision = "0009_search_segments"
down_revision = "0008_blocked_numbers"

STATEMENTS = r"""
CREATE TABLE search_segments (
    account_id uuid NOT NULL,
    id uuid NOT NULL,
    first uuid NOT NULL,
    through uuid NOT NULL,
    content bytea NOT NULL CONSTRAINT search_segments_content_is_sealed CHECK (content < '\x02'),
    version integer NOT NULL,
    PRIMARY KEY (account_id, id)
)

CREATE INDEX search_segments_by_account_through ON search_segments (account_id, through)
"""
"""One statement a paragraph."""


def upgrade() -> None:
    for statement in STATEMENTS.split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
