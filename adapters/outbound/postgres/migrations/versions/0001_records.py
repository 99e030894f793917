"""What is kept about people, the public audit log, and how far erasures have come."""

from alembic import op

revision = "0001_records"
down_revision = None

STATEMENTS = """
CREATE TABLE accounts (
    id uuid NOT NULL,
    email bytea NOT NULL
        CONSTRAINT accounts_email_is_sealed CHECK (octet_length(email) >= 31 AND get_byte(email, 0) = 1),
    email_index bytea NOT NULL
        CONSTRAINT accounts_email_index_is_index CHECK (octet_length(email_index) = 32),
    password bytea NOT NULL
        CONSTRAINT accounts_password_is_sealed
        CHECK (octet_length(password) >= 31 AND get_byte(password, 0) = 1),
    display_name bytea NOT NULL
        CONSTRAINT accounts_display_name_is_sealed
        CHECK (octet_length(display_name) >= 31 AND get_byte(display_name, 0) = 1),
    locale bytea NOT NULL
        CONSTRAINT accounts_locale_is_sealed
        CHECK (octet_length(locale) >= 31 AND get_byte(locale, 0) = 1),
    terms_accepted_at timestamptz NOT NULL,
    privacy_accepted_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    standing text NOT NULL
        CONSTRAINT accounts_standing_is_enum
        CHECK (standing IN ('active', 'erasing', 'leaving', 'unverified')),
    verified_at timestamptz,
    erase_at timestamptz,
    version integer NOT NULL CONSTRAINT accounts_version_is_count CHECK (version >= 0),
    PRIMARY KEY (id)
)

CREATE INDEX accounts_by_created_at ON accounts (created_at) WHERE standing IN ('erasing', 'unverified')

CREATE UNIQUE INDEX accounts_by_email_index ON accounts (email_index)

CREATE INDEX accounts_by_erase_at ON accounts (erase_at) WHERE erase_at IS NOT NULL

CREATE TABLE sessions (
    account_id uuid NOT NULL,
    id uuid NOT NULL,
    token bytea NOT NULL CONSTRAINT sessions_token_is_index CHECK (octet_length(token) = 32),
    created_at timestamptz NOT NULL,
    revoked_at timestamptz,
    version integer NOT NULL CONSTRAINT sessions_version_is_count CHECK (version >= 0),
    PRIMARY KEY (account_id, id)
)

CREATE INDEX sessions_by_revoked_at ON sessions (revoked_at) WHERE revoked_at IS NOT NULL

CREATE UNIQUE INDEX sessions_by_token ON sessions (token)

CREATE TABLE phone_lines (
    account_id uuid NOT NULL,
    id uuid NOT NULL,
    number bytea NOT NULL
        CONSTRAINT phone_lines_number_is_sealed
        CHECK (octet_length(number) >= 31 AND get_byte(number, 0) = 1),
    number_index bytea NOT NULL
        CONSTRAINT phone_lines_number_index_is_index CHECK (octet_length(number_index) = 32),
    country text NOT NULL CONSTRAINT phone_lines_country_is_enum CHECK (country ~ '^[A-Z]{2}$'),
    capabilities text[] NOT NULL
        CONSTRAINT phone_lines_capabilities_is_enum CHECK (capabilities <@ ARRAY['mms', 'sms', 'voice']),
    label bytea
        CONSTRAINT phone_lines_label_is_sealed
        CHECK (octet_length(label) >= 31 AND get_byte(label, 0) = 1),
    state text NOT NULL
        CONSTRAINT phone_lines_state_is_enum
        CHECK (state IN ('active', 'failed', 'ordering', 'released', 'releasing', 'suspended')),
    ref text CONSTRAINT phone_lines_ref_is_ref CHECK (ref ~ '^[A-Za-z0-9_.:-]{1,64}$'),
    created_at timestamptz NOT NULL,
    released_at timestamptz,
    version integer NOT NULL CONSTRAINT phone_lines_version_is_count CHECK (version >= 0),
    PRIMARY KEY (account_id, id)
)

CREATE UNIQUE INDEX phone_lines_by_number_index
    ON phone_lines (number_index) WHERE state IN ('active', 'ordering', 'releasing', 'suspended')

CREATE TABLE conversations (
    account_id uuid NOT NULL,
    id uuid NOT NULL,
    line_id uuid NOT NULL,
    peer bytea NOT NULL
        CONSTRAINT conversations_peer_is_sealed
        CHECK (octet_length(peer) >= 31 AND get_byte(peer, 0) = 1),
    peer_index bytea NOT NULL
        CONSTRAINT conversations_peer_index_is_index CHECK (octet_length(peer_index) = 32),
    last_at timestamptz NOT NULL,
    unread integer NOT NULL CONSTRAINT conversations_unread_is_count CHECK (unread >= 0),
    opted_out_at timestamptz,
    created_at timestamptz NOT NULL,
    deleted_at timestamptz,
    version integer NOT NULL CONSTRAINT conversations_version_is_count CHECK (version >= 0),
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
    direction text NOT NULL
        CONSTRAINT messages_direction_is_enum CHECK (direction IN ('inbound', 'outbound')),
    status text NOT NULL
        CONSTRAINT messages_status_is_enum
        CHECK (status IN ('delivered', 'failed', 'queued', 'received', 'sending', 'sent')),
    body bytea NOT NULL
        CONSTRAINT messages_body_is_sealed CHECK (octet_length(body) >= 31 AND get_byte(body, 0) = 1),
    created_at timestamptz NOT NULL,
    ref text CONSTRAINT messages_ref_is_ref CHECK (ref ~ '^[A-Za-z0-9_.:-]{1,64}$'),
    error integer CONSTRAINT messages_error_is_count CHECK (error >= 0),
    attempted_at timestamptz,
    purged_at timestamptz,
    deleted_at timestamptz,
    version integer NOT NULL CONSTRAINT messages_version_is_count CHECK (version >= 0),
    PRIMARY KEY (account_id, id)
)

CREATE INDEX messages_by_account_conversation_id ON messages (account_id, conversation_id, id DESC)

CREATE UNIQUE INDEX messages_by_account_ref ON messages (account_id, ref) WHERE ref IS NOT NULL

CREATE TABLE once (
    account_id uuid NOT NULL,
    id uuid NOT NULL,
    key bytea NOT NULL CONSTRAINT once_key_is_index CHECK (octet_length(key) = 32),
    request bytea NOT NULL CONSTRAINT once_request_is_index CHECK (octet_length(request) = 32),
    resource_id uuid NOT NULL,
    expires_at timestamptz NOT NULL,
    version integer NOT NULL CONSTRAINT once_version_is_count CHECK (version >= 0),
    PRIMARY KEY (account_id, id)
)

CREATE UNIQUE INDEX once_by_account_key ON once (account_id, key)

CREATE INDEX once_by_expires_at ON once (expires_at)

CREATE TABLE exports (
    account_id uuid NOT NULL,
    id uuid NOT NULL,
    state text NOT NULL
        CONSTRAINT exports_state_is_enum CHECK (state IN ('building', 'downloaded', 'expired', 'ready')),
    requested_at timestamptz NOT NULL,
    rows_done integer NOT NULL CONSTRAINT exports_rows_done_is_count CHECK (rows_done >= 0),
    rows_total integer NOT NULL CONSTRAINT exports_rows_total_is_count CHECK (rows_total >= 0),
    expires_at timestamptz,
    version integer NOT NULL CONSTRAINT exports_version_is_count CHECK (version >= 0),
    PRIMARY KEY (account_id, id)
)

CREATE INDEX exports_by_expires_at ON exports (expires_at) WHERE state = 'ready'

CREATE TABLE export_parts (
    account_id uuid NOT NULL,
    id uuid NOT NULL,
    export_id uuid NOT NULL,
    position integer NOT NULL CONSTRAINT export_parts_position_is_count CHECK (position >= 0),
    content bytea NOT NULL
        CONSTRAINT export_parts_content_is_sealed
        CHECK (octet_length(content) >= 31 AND get_byte(content, 0) = 1),
    version integer NOT NULL CONSTRAINT export_parts_version_is_count CHECK (version >= 0),
    PRIMARY KEY (account_id, id)
)

CREATE UNIQUE INDEX export_parts_by_account_export_position
    ON export_parts (account_id, export_id, position)

CREATE TABLE audit_entries (
    account_id uuid NOT NULL,
    id uuid NOT NULL,
    at timestamptz NOT NULL,
    kind text NOT NULL
        CONSTRAINT audit_entries_kind_is_enum
        CHECK (kind IN ('deletion_requested', 'export_downloaded', 'export_requested',
            'line_activated', 'line_ordered', 'line_released', 'line_releasing', 'profile_changed',
            'recovered', 'signed_in', 'signed_out', 'signed_up', 'verified')),
    subject uuid,
    salt bytea NOT NULL
        CONSTRAINT audit_entries_salt_is_sealed
        CHECK (octet_length(salt) >= 31 AND get_byte(salt, 0) = 1),
    version integer NOT NULL CONSTRAINT audit_entries_version_is_count CHECK (version >= 0),
    PRIMARY KEY (account_id, id)
)

CREATE TABLE audit_log (
    id uuid NOT NULL,
    day date NOT NULL,
    kind text NOT NULL
        CONSTRAINT audit_log_kind_is_enum
        CHECK (kind IN ('deletion_requested', 'export_downloaded', 'export_requested',
            'line_activated', 'line_ordered', 'line_released', 'line_releasing', 'profile_changed',
            'recovered', 'signed_in', 'signed_out', 'signed_up', 'verified')),
    commitment bytea NOT NULL
        CONSTRAINT audit_log_commitment_is_index CHECK (octet_length(commitment) = 32),
    PRIMARY KEY (id)
)

CREATE TABLE erasures (
    account_id uuid NOT NULL,
    began_at timestamptz NOT NULL,
    done text
        CONSTRAINT erasures_done_is_enum
        CHECK (done IN ('carrier_content', 'intent', 'keys', 'mail', 'numbers', 'rows',
            'verified')),
    texts integer NOT NULL CONSTRAINT erasures_texts_is_count CHECK (texts >= 0),
    numbers integer NOT NULL CONSTRAINT erasures_numbers_is_count CHECK (numbers >= 0),
    rows integer NOT NULL CONSTRAINT erasures_rows_is_count CHECK (rows >= 0),
    PRIMARY KEY (account_id)
)

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
