"""Subscriptions, and what an erasure asks a payment provider for."""

from alembic import op

revision = "0029_subscriptions"
down_revision = "0028_data_requests"

STATEMENTS = r"""
CREATE TYPE subscription_state AS ENUM ('none', 'incomplete', 'active', 'past_due', 'unpaid', 'paused', 'ended')

CREATE TYPE seller AS ENUM ('stripe', 'app_store', 'play_store')

CREATE TYPE plan_name AS ENUM ('basic', 'plus', 'team')

CREATE TABLE subscriptions (
    account_id uuid NOT NULL,
    id uuid NOT NULL,
    payer bytea CONSTRAINT subscriptions_payer_is_sealed CHECK (payer < '\x02'),
    purchase bytea CONSTRAINT subscriptions_purchase_is_sealed CHECK (purchase < '\x02'),
    state subscription_state NOT NULL,
    seller seller NOT NULL,
    plan plan_name,
    period_ends_at timestamptz,
    ends_at timestamptz,
    past_due_since timestamptz,
    lapsed_at timestamptz,
    warned_at timestamptz,
    payer_asked_at timestamptz,
    look_at timestamptz,
    looks integer NOT NULL,
    seal bytea NOT NULL CONSTRAINT subscriptions_seal_is_sealed CHECK (seal < '\x02'),
    version integer NOT NULL,
    PRIMARY KEY (account_id, id)
)

ALTER TYPE holding ADD VALUE 'subscription'

ALTER TYPE holding ADD VALUE 'payer'

ALTER TYPE audit_kind ADD VALUE 'subscription_changed' BEFORE 'account_erasure_begun'

ALTER TYPE live_kind ADD VALUE 'subscription.changed'
"""
"""One statement a paragraph."""


def upgrade() -> None:
    for statement in STATEMENTS.split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
