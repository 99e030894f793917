"""Refused sign-ins and what operators did, in the audit log."""

from alembic import op

revision = "0026_operator_access"
down_revision = "0025_push_tokens"

KINDS = (
    "sign_in_refused", "operator_access", "operator_counted_accounts", "operator_listed_erasures",
    "operator_read_receipt", "operator_read_audit_log", "operator_compared_numbers", "operator_rotated_keys",
    "operator_backed_up", "operator_restored",
)  # fmt: skip


def upgrade() -> None:
    for kind in KINDS:
        op.get_bind().exec_driver_sql(f"ALTER TYPE audit_kind ADD VALUE '{kind}'")
