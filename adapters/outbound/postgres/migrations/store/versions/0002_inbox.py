"""How many messages a conversation has, so that a list tells without counting them."""

from alembic import op

revision = "0002_inbox"
down_revision = "0001_first"

STATEMENTS = r"""
ALTER TABLE conversations ADD COLUMN total integer NOT NULL DEFAULT 0

ALTER TABLE conversations ALTER COLUMN total DROP DEFAULT

UPDATE conversations c SET total = kept.total, unread = least(c.unread, kept.inbound)
    FROM (
        SELECT c.account_id, c.id, count(m.id) AS total, count(m.id) FILTER (WHERE m.direction = 'inbound') AS inbound
        FROM conversations c LEFT JOIN messages m
            ON m.account_id = c.account_id AND m.conversation_id = c.id AND m.deleted_at IS NULL
        GROUP BY c.account_id, c.id
    ) AS kept
    WHERE c.account_id = kept.account_id AND c.id = kept.id
"""
"""One statement a paragraph."""


def upgrade() -> None:
    for statement in STATEMENTS.strip().split("\n\n"):
        op.get_bind().exec_driver_sql(statement)
