"""Numbers that people bring along from other carriers."""

from alembic import op

revision = "0036_port_requests"
down_revision = "0035_live_contacts"

STATEMENTS = r"""
CREATE TYPE port_state AS ENUM (
    'draft', 'requested', 'submitted', 'awaiting_signature', 'in_progress', 'scheduled', 'completed', 'rejected',
    'cancelled'
)

CREATE TYPE port_rejection AS ENUM ('not_portable', 'under_way', 'details_differ', 'expired', 'other')

CREATE TABLE port_requests (
    account_id uuid NOT NULL,
    id uuid NOT NULL,
    line_id uuid NOT NULL,
    number bytea NOT NULL CONSTRAINT port_requests_number_is_sealed CHECK (number < '\x02'),
    state port_state NOT NULL,
    bill character varying(64),
    ref character varying(64),
    details bytea CONSTRAINT port_requests_details_is_sealed CHECK (details < '\x02'),
    rejection port_rejection,
    port_at timestamptz,
    cancel_asked_at timestamptz,
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    version integer NOT NULL,
    PRIMARY KEY (account_id, id)
)

ALTER TYPE live_kind ADD VALUE 'port_request.changed'

ALTER TYPE line_state ADD VALUE 'ported_out' BEFORE 'failed'

ALTER TYPE audit_kind ADD VALUE 'port_requested'
"""
"""One statement a paragraph."""


def upgrade() -> None:
    for statement in STATEMENTS.split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
