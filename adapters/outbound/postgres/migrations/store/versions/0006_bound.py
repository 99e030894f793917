"""What decides in exports, in lasting opt-outs and in idempotency records is bound, too: see ADR 11.

Nobody can seal here: what there is opens as little as what was altered. A STOP stands all the same, an operation counts
as done, and exports, which last a day, are asked for again.
"""

from alembic import op

revision = "0006_bound"
down_revision = "0005_pending_release"

STATEMENTS = r"""
ALTER TABLE exports
    ADD COLUMN seal bytea NOT NULL DEFAULT '\x01' CONSTRAINT exports_seal_is_sealed CHECK (seal < '\x02')

ALTER TABLE exports ALTER COLUMN seal DROP DEFAULT

ALTER TABLE opt_outs
    ADD COLUMN seal bytea NOT NULL DEFAULT '\x01' CONSTRAINT opt_outs_seal_is_sealed CHECK (seal < '\x02')

ALTER TABLE opt_outs ALTER COLUMN seal DROP DEFAULT

ALTER TABLE idempotency_records
    ADD COLUMN seal bytea NOT NULL DEFAULT '\x01'
        CONSTRAINT idempotency_records_seal_is_sealed CHECK (seal < '\x02')

ALTER TABLE idempotency_records ALTER COLUMN seal DROP DEFAULT

UPDATE exports SET state = 'expired' WHERE state IN ('building', 'ready')

DELETE FROM export_parts
"""
"""One statement a paragraph."""


def upgrade() -> None:
    for statement in STATEMENTS.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
