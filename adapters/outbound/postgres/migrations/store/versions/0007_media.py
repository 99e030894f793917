"""What is known of pictures."""

from alembic import op

revision = "0007_media"
down_revision = "0006_bound"

STATEMENTS = r"""
CREATE TYPE media_state AS ENUM ('expected', 'kept', 'refused')

CREATE TYPE media_type AS ENUM ('jpeg', 'png', 'gif', 'webp')

CREATE TYPE media_refusal AS ENUM ('unsupported', 'too_large', 'unfit', 'gone')

CREATE TABLE media (
    account_id uuid NOT NULL,
    id uuid NOT NULL,
    message_id uuid,
    position integer NOT NULL,
    state media_state NOT NULL,
    type media_type,
    size integer NOT NULL,
    refusal media_refusal,
    created_at timestamptz NOT NULL,
    seal bytea NOT NULL CONSTRAINT media_seal_is_sealed CHECK (seal < '\x02'),
    version integer NOT NULL,
    PRIMARY KEY (account_id, id)
)

CREATE INDEX media_by_account_message_position ON media (account_id, message_id, position)
"""
"""One statement a paragraph."""


def upgrade() -> None:
    for statement in STATEMENTS.split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
