"""Calls; the telephone to which a line forwards; what an erasure asks a carrier of calls for."""

from alembic import op

revision = "0016_calls"
down_revision = "0015_do_not_disturb"

STATEMENTS = r"""
CREATE TYPE call_direction AS ENUM ('inbound', 'outbound')

CREATE TYPE call_outcome AS ENUM (
    'ringing', 'missed', 'failed', 'canceled', 'no_answer', 'busy', 'in_progress', 'answered'
)

CREATE TABLE calls (
    account_id uuid NOT NULL,
    id uuid NOT NULL,
    line_id uuid NOT NULL,
    direction call_direction NOT NULL,
    outcome call_outcome NOT NULL,
    peer bytea CONSTRAINT calls_peer_is_sealed CHECK (peer < '\x02'),
    peer_index bytea,
    started_at timestamptz NOT NULL,
    duration integer NOT NULL,
    ended_at timestamptz,
    ref varchar(64),
    reserved integer NOT NULL,
    record_deleted_at timestamptz,
    deleted_at timestamptz,
    seal bytea NOT NULL CONSTRAINT calls_seal_is_sealed CHECK (seal < '\x02'),
    version integer NOT NULL,
    PRIMARY KEY (account_id, id)
)

CREATE INDEX calls_by_account_id ON calls (account_id, id DESC) WHERE deleted_at IS NULL

CREATE UNIQUE INDEX calls_by_account_ref ON calls (account_id, ref) WHERE ref IS NOT NULL

CREATE TYPE forward_when AS ENUM ('always', 'busy', 'no_answer')

ALTER TABLE phone_lines
    ADD forward_to bytea CONSTRAINT phone_lines_forward_to_is_sealed CHECK (forward_to < '\x02'),
    ADD forward_when forward_when[] NOT NULL DEFAULT '{}'

ALTER TABLE phone_lines ALTER forward_when DROP DEFAULT

ALTER TYPE holding ADD VALUE 'call'
"""
"""One statement a paragraph."""


def upgrade() -> None:
    for statement in STATEMENTS.split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
