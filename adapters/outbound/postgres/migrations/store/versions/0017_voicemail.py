"""Voicemail."""

from alembic import op

revision = "0017_voicemail"
down_revision = "0016_calls"

STATEMENTS = r"""
CREATE TYPE voicemail_state AS ENUM ('expected', 'kept', 'refused', 'expired')

CREATE TYPE audio_type AS ENUM ('wav', 'mp3')

CREATE TYPE audio_refusal AS ENUM ('unsupported', 'too_large', 'unfit', 'gone')

CREATE TYPE transcript_state AS ENUM ('pending', 'done', 'corrected', 'failed', 'absent')

CREATE TYPE transcript_absence AS ENUM ('language', 'too_long', 'too_short', 'nothing_said', 'never_came')

CREATE TABLE voicemails (
    account_id uuid NOT NULL,
    id uuid NOT NULL,
    line_id uuid NOT NULL,
    caller bytea CONSTRAINT voicemails_caller_is_sealed CHECK (caller < '\x02'),
    state voicemail_state NOT NULL,
    type audio_type,
    size integer NOT NULL,
    digest bytea CONSTRAINT voicemails_digest_is_sealed CHECK (digest < '\x02'),
    duration integer NOT NULL,
    refusal audio_refusal,
    transcript bytea CONSTRAINT voicemails_transcript_is_sealed CHECK (transcript < '\x02'),
    transcript_state transcript_state NOT NULL,
    absence transcript_absence,
    created_at timestamptz NOT NULL,
    heard_at timestamptz,
    ref varchar(64) NOT NULL,
    transcription varchar(64),
    copy_deleted_at timestamptz,
    deleted_at timestamptz,
    seal bytea NOT NULL CONSTRAINT voicemails_seal_is_sealed CHECK (seal < '\x02'),
    version integer NOT NULL,
    PRIMARY KEY (account_id, id)
)

CREATE INDEX voicemails_by_account_ref ON voicemails (account_id, ref)

CREATE INDEX voicemails_by_account_line_id ON voicemails (account_id, line_id, id DESC)

ALTER TYPE holding ADD VALUE 'recording'

ALTER TYPE audit_kind ADD VALUE 'recording_refused'
"""
"""One statement a paragraph."""


def upgrade() -> None:
    for statement in STATEMENTS.split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
