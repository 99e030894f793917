"""Webhook endpoints, and what is told to them."""

from alembic import op

revision = "0033_webhook_endpoints"
down_revision = "0032_unreachable"

STATEMENTS = r"""
CREATE TYPE webhook_state AS ENUM ('enabled', 'disabled', 'gone', 'failing')

CREATE TYPE webhook_delivery_state AS ENUM ('waiting', 'delivered', 'failed', 'withheld')

CREATE TYPE webhook_answer AS ENUM ('2xx', '3xx', '4xx', '410', '5xx', 'timeout', 'unreachable', 'forbidden')

CREATE TABLE webhook_endpoints (
    account_id uuid NOT NULL,
    id uuid NOT NULL,
    url bytea NOT NULL CONSTRAINT webhook_endpoints_url_is_sealed CHECK (url < '\x02'),
    secret bytea NOT NULL CONSTRAINT webhook_endpoints_secret_is_sealed CHECK (secret < '\x02'),
    former_secret bytea CONSTRAINT webhook_endpoints_former_secret_is_sealed CHECK (former_secret < '\x02'),
    former_until timestamptz,
    kinds live_kind[] NOT NULL,
    state webhook_state NOT NULL,
    failing_since timestamptz,
    created_at timestamptz NOT NULL,
    version integer NOT NULL,
    PRIMARY KEY (account_id, id)
)

CREATE TABLE webhook_deliveries (
    account_id uuid NOT NULL,
    id uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    kind live_kind NOT NULL,
    subject uuid NOT NULL,
    at timestamptz NOT NULL,
    state webhook_delivery_state NOT NULL,
    attempts integer NOT NULL,
    answer webhook_answer,
    tried_at timestamptz,
    version integer NOT NULL,
    PRIMARY KEY (account_id, id)
)

CREATE INDEX webhook_deliveries_by_account_endpoint_at_id
    ON webhook_deliveries (account_id, endpoint_id, at DESC, id DESC)

CREATE INDEX webhook_deliveries_by_at ON webhook_deliveries (at)

ALTER TYPE audit_kind ADD VALUE 'webhook_endpoint_added'

ALTER TYPE audit_kind ADD VALUE 'webhook_endpoint_changed'

ALTER TYPE audit_kind ADD VALUE 'webhook_endpoint_deleted'

ALTER TYPE audit_kind ADD VALUE 'webhook_endpoint_disabled'

ALTER TYPE audit_kind ADD VALUE 'webhook_secret_rotated'
"""
"""One statement a paragraph."""


def upgrade() -> None:
    for statement in STATEMENTS.split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
