"""What is kept about people, the directory, jobs, the public audit log, and how far erasures have come."""

from alembic import op

revision = "0001_first"
down_revision = None

STATEMENTS = r"""
CREATE TYPE account_state AS ENUM ('unverified', 'active', 'pending_deletion', 'erasing')

CREATE TYPE audit_kind AS ENUM (
    'account_signed_up', 'account_verified', 'profile_changed', 'account_deletion_requested',
    'account_recovered', 'session_opened', 'session_revoked', 'line_ordered', 'line_activated',
    'line_release_requested', 'line_released', 'line_lost', 'export_requested', 'export_downloaded'
)

CREATE TYPE capability AS ENUM ('sms', 'mms', 'voice')

CREATE TYPE direction AS ENUM ('inbound', 'outbound')

CREATE TYPE export_state AS ENUM ('building', 'ready', 'downloaded', 'expired')

CREATE TYPE failure_reason AS ENUM (
    'unreachable', 'opted_out', 'rejected', 'unsupported', 'line_not_active', 'carrier_outage',
    'unconfirmed', 'unknown'
)

CREATE TYPE job_state AS ENUM ('waiting', 'leased', 'dead')

CREATE TYPE line_state AS ENUM ('ordering', 'active', 'suspended', 'releasing', 'released', 'lost', 'failed')

CREATE TYPE status AS ENUM ('queued', 'sending', 'sent', 'unconfirmed', 'delivered', 'failed', 'received')

CREATE TABLE accounts (
    id uuid NOT NULL,
    email bytea NOT NULL CONSTRAINT accounts_email_is_sealed CHECK (email < '\x02'),
    password bytea NOT NULL CONSTRAINT accounts_password_is_sealed CHECK (password < '\x02'),
    display_name bytea NOT NULL CONSTRAINT accounts_display_name_is_sealed CHECK (display_name < '\x02'),
    locale bytea NOT NULL CONSTRAINT accounts_locale_is_sealed CHECK (locale < '\x02'),
    terms_accepted_at timestamptz NOT NULL,
    privacy_accepted_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    state account_state NOT NULL,
    verified_at timestamptz,
    erase_at timestamptz,
    version integer NOT NULL,
    PRIMARY KEY (id)
)

CREATE INDEX accounts_by_created_at ON accounts (created_at) WHERE state = 'unverified'

CREATE INDEX accounts_by_erase_at ON accounts (erase_at) WHERE state = 'pending_deletion'

CREATE TABLE sessions (
    account_id uuid NOT NULL,
    id uuid NOT NULL,
    fingerprint bytea NOT NULL CONSTRAINT sessions_fingerprint_is_sealed CHECK (fingerprint < '\x02'),
    created_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    revoked_at timestamptz,
    version integer NOT NULL,
    PRIMARY KEY (account_id, id)
)

CREATE INDEX sessions_by_ends_at ON sessions (ends_at)

CREATE INDEX sessions_by_revoked_at ON sessions (revoked_at) WHERE revoked_at IS NOT NULL

CREATE TABLE phone_lines (
    account_id uuid NOT NULL,
    id uuid NOT NULL,
    number bytea NOT NULL CONSTRAINT phone_lines_number_is_sealed CHECK (number < '\x02'),
    country varchar(2) NOT NULL CONSTRAINT phone_lines_country_is_enum CHECK (country ~ '^[A-Z]{2}$'),
    capabilities capability[] NOT NULL,
    label bytea CONSTRAINT phone_lines_label_is_sealed CHECK (label < '\x02'),
    state line_state NOT NULL,
    ref varchar(64),
    created_at timestamptz NOT NULL,
    released_at timestamptz,
    version integer NOT NULL,
    PRIMARY KEY (account_id, id)
)

CREATE TABLE conversations (
    account_id uuid NOT NULL,
    id uuid NOT NULL,
    line_id uuid NOT NULL,
    peer bytea NOT NULL CONSTRAINT conversations_peer_is_sealed CHECK (peer < '\x02'),
    peer_index bytea NOT NULL,
    last_at timestamptz NOT NULL,
    unread integer NOT NULL,
    opted_out_at timestamptz,
    created_at timestamptz NOT NULL,
    deleted_at timestamptz,
    version integer NOT NULL,
    PRIMARY KEY (account_id, id)
)

CREATE INDEX conversations_by_account_last_at_id
    ON conversations (account_id, last_at DESC, id DESC) WHERE deleted_at IS NULL

CREATE INDEX conversations_by_account_line_last_at_id
    ON conversations (account_id, line_id, last_at DESC, id DESC) WHERE deleted_at IS NULL

CREATE UNIQUE INDEX conversations_by_account_line_peer_index
    ON conversations (account_id, line_id, peer_index) WHERE deleted_at IS NULL

CREATE TABLE messages (
    account_id uuid NOT NULL,
    id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    line_id uuid NOT NULL,
    direction direction NOT NULL,
    status status NOT NULL,
    body bytea NOT NULL CONSTRAINT messages_body_is_sealed CHECK (body < '\x02'),
    created_at timestamptz NOT NULL,
    attachments integer NOT NULL,
    ref varchar(64),
    failure failure_reason,
    attempted_at timestamptz,
    copy_deleted_at timestamptz,
    deleted_at timestamptz,
    version integer NOT NULL,
    PRIMARY KEY (account_id, id)
)

CREATE INDEX messages_by_account_conversation_id ON messages (account_id, conversation_id, id DESC)

CREATE UNIQUE INDEX messages_by_account_ref ON messages (account_id, ref) WHERE ref IS NOT NULL

CREATE TABLE opt_outs (
    account_id uuid NOT NULL,
    id uuid NOT NULL,
    line_id uuid NOT NULL,
    peer bytea NOT NULL,
    opted_out_at timestamptz NOT NULL,
    version integer NOT NULL,
    PRIMARY KEY (account_id, id)
)

CREATE UNIQUE INDEX opt_outs_by_account_line_peer ON opt_outs (account_id, line_id, peer)

CREATE TABLE idempotency_records (
    account_id uuid NOT NULL,
    id uuid NOT NULL,
    key bytea NOT NULL,
    request bytea NOT NULL,
    resource_id uuid,
    expires_at timestamptz,
    version integer NOT NULL,
    PRIMARY KEY (account_id, id)
)

CREATE UNIQUE INDEX idempotency_records_by_account_key ON idempotency_records (account_id, key)

CREATE INDEX idempotency_records_by_expires_at ON idempotency_records (expires_at) WHERE expires_at IS NOT NULL

CREATE TABLE exports (
    account_id uuid NOT NULL,
    id uuid NOT NULL,
    state export_state NOT NULL,
    requested_at timestamptz NOT NULL,
    rows_done integer NOT NULL,
    rows_total integer NOT NULL,
    rows_unreadable integer NOT NULL,
    expires_at timestamptz,
    version integer NOT NULL,
    PRIMARY KEY (account_id, id)
)

CREATE UNIQUE INDEX exports_by_account ON exports (account_id) WHERE state = 'building'

CREATE INDEX exports_by_expires_at ON exports (expires_at) WHERE expires_at IS NOT NULL

CREATE TABLE export_parts (
    account_id uuid NOT NULL,
    id uuid NOT NULL,
    export_id uuid NOT NULL,
    position integer NOT NULL,
    content bytea NOT NULL CONSTRAINT export_parts_content_is_sealed CHECK (content < '\x02'),
    version integer NOT NULL,
    PRIMARY KEY (account_id, id)
)

CREATE UNIQUE INDEX export_parts_by_account_export_position ON export_parts (account_id, export_id, position)

CREATE TABLE audit_entries (
    account_id uuid NOT NULL,
    id uuid NOT NULL,
    at timestamptz NOT NULL,
    kind audit_kind NOT NULL,
    subject uuid NOT NULL,
    salt bytea NOT NULL CONSTRAINT audit_entries_salt_is_sealed CHECK (salt < '\x02'),
    version integer NOT NULL,
    PRIMARY KEY (account_id, id)
)

CREATE TABLE directory (
    kind varchar(32) NOT NULL CONSTRAINT directory_kind_is_enum CHECK (kind ~ '^[a-z_.]+$'),
    key bytea NOT NULL,
    account_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    PRIMARY KEY (kind, key)
)

CREATE INDEX directory_by_account_subject ON directory (account_id, subject_id)

CREATE TABLE jobs (
    account_id uuid NOT NULL,
    id uuid NOT NULL,
    name varchar(32) NOT NULL CONSTRAINT jobs_name_is_enum CHECK (name ~ '^[a-z_.]+$'),
    subject uuid NOT NULL,
    state job_state DEFAULT 'waiting' NOT NULL,
    due_at timestamptz NOT NULL,
    queued_at timestamptz DEFAULT now() NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    token integer DEFAULT 0 NOT NULL,
    failure varchar(64),
    PRIMARY KEY (account_id, id)
) WITH (
    autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0,
    autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 500
)

CREATE INDEX jobs_by_due_at ON jobs (due_at) WHERE state <> 'dead'

CREATE TABLE audit_log (
    id uuid NOT NULL,
    day date NOT NULL,
    kind audit_kind NOT NULL,
    commitment bytea NOT NULL,
    PRIMARY KEY (id)
)

CREATE TABLE erasures (
    account_id uuid NOT NULL,
    began_at timestamptz NOT NULL,
    done varchar(32) CONSTRAINT erasures_done_is_enum CHECK (done ~ '^[a-z_.]+$'),
    done_at timestamptz,
    seal bytea NOT NULL,
    PRIMARY KEY (account_id)
)

CREATE TABLE erasure_counts (
    account_id uuid NOT NULL,
    name varchar(32) NOT NULL CONSTRAINT erasure_counts_name_is_enum CHECK (name ~ '^[a-z_.]+$'),
    count integer NOT NULL,
    PRIMARY KEY (account_id, name)
)

CREATE TYPE holding AS ENUM ('message', 'number')

CREATE TYPE residue_state AS ENUM ('held', 'gone', 'settled')

CREATE TABLE residue (
    account_id uuid NOT NULL,
    holding holding NOT NULL,
    ref varchar(64) NOT NULL,
    line_id uuid,
    state residue_state NOT NULL,
    gone_at timestamptz,
    seal bytea NOT NULL,
    PRIMARY KEY (account_id, holding, ref)
)

CREATE FUNCTION pico_refuse(code text) RETURNS text LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = code; END $$

CREATE FUNCTION audit_log_only_grows() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the audit log only grows' USING ERRCODE = 'restrict_violation'; END $$

CREATE TRIGGER audit_log_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_only_grows()

ALTER TABLE alembic_version
    ADD CONSTRAINT alembic_version_version_num_is_ref CHECK (version_num ~ '^[a-z0-9_]{1,32}$')
"""
"""One statement a paragraph."""


def upgrade() -> None:
    for statement in STATEMENTS.split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
