"""Contacts, and what leads to them by number."""

from alembic import op

revision = "0003_contacts"
down_revision = "0002_inbox"

STATEMENTS = r"""
CREATE TABLE contacts (
    account_id uuid NOT NULL,
    id uuid NOT NULL,
    name bytea NOT NULL CONSTRAINT contacts_name_is_sealed CHECK (name < '\x02'),
    numbers bytea NOT NULL CONSTRAINT contacts_numbers_is_sealed CHECK (numbers < '\x02'),
    note bytea CONSTRAINT contacts_note_is_sealed CHECK (note < '\x02'),
    created_at timestamptz NOT NULL,
    version integer NOT NULL,
    PRIMARY KEY (account_id, id)
)

CREATE TABLE contact_numbers (
    account_id uuid NOT NULL,
    id uuid NOT NULL,
    contact_id uuid NOT NULL,
    number bytea NOT NULL,
    place integer NOT NULL,
    version integer NOT NULL,
    PRIMARY KEY (account_id, id)
)

CREATE UNIQUE INDEX contact_numbers_by_account_number_place ON contact_numbers (account_id, number, place)

CREATE INDEX contact_numbers_by_account_contact ON contact_numbers (account_id, contact_id)
"""
"""One statement a paragraph."""


def upgrade() -> None:
    for statement in STATEMENTS.split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
