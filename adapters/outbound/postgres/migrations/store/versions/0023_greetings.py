"""What callers hear before they leave a message."""

from alembic import op

revision = "0023_greetings"
down_revision = "0022_live_events"

STATEMENTS = r"""
CREATE TYPE greeting_state AS ENUM ('uploaded', 'kept')

CREATE TYPE greeting_sound AS ENUM ('wav', 'mp3')

CREATE TABLE greetings (
    account_id uuid NOT NULL,
    id uuid NOT NULL,
    line_id uuid NOT NULL,
    state greeting_state NOT NULL,
    words bytea CONSTRAINT greetings_words_is_sealed CHECK (words < '\x02'),
    sound greeting_sound,
    size integer NOT NULL,
    created_at timestamptz NOT NULL,
    seal bytea NOT NULL CONSTRAINT greetings_seal_is_sealed CHECK (seal < '\x02'),
    version integer NOT NULL,
    PRIMARY KEY (account_id, id)
)

CREATE INDEX greetings_by_account_line ON greetings (account_id, line_id)
"""
"""One statement a paragraph."""


def upgrade() -> None:
    for statement in STATEMENTS.split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
