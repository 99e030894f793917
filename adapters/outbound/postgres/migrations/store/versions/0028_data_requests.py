"""The desk for requests that arrive by letter."""

from alembic import op

revision = "0028_data_requests"
down_revision = "0027_catch_ups"

STATEMENTS = r"""
CREATE TYPE data_request_kind AS ENUM (
    'access', 'rectification', 'erasure', 'restriction', 'portability', 'objection'
)

CREATE TYPE data_request_outcome AS ENUM ('fulfilled', 'withdrawn', 'refused', 'unidentified')

CREATE TABLE data_requests (
    about bytea NOT NULL,
    id uuid NOT NULL,
    kind data_request_kind NOT NULL,
    received_at timestamptz NOT NULL,
    closed_at timestamptz,
    outcome data_request_outcome,
    PRIMARY KEY (about, id)
)

CREATE UNIQUE INDEX data_requests_by_about_kind ON data_requests (about, kind) WHERE closed_at IS NULL

CREATE INDEX data_requests_by_closed_at ON data_requests (closed_at) WHERE closed_at IS NOT NULL

ALTER TYPE audit_kind ADD VALUE 'data_request_noted'

ALTER TYPE audit_kind ADD VALUE 'data_request_answered'

ALTER TYPE audit_kind ADD VALUE 'operator_handled_requests'
"""
"""One statement a paragraph."""


def upgrade() -> None:
    for statement in STATEMENTS.split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
