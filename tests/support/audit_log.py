"""The audit log's keeper, with a crowd that a test can afford."""

from __future__ import annotations

from application.audit_log import KeepAuditLog, VerifyAuditLog
from bootstrap.worlds import InMemory


def keeper(world: InMemory, crowd: int) -> KeepAuditLog:
    """Return what chains, signs, draws and checks the log of a world."""
    outside = world.outside()
    verify = VerifyAuditLog(outside.audit_log, outside.signing)
    kind = type("KeepAuditLog", (KeepAuditLog,), {"__slots__": (), "crowd": crowd})
    keep: KeepAuditLog = kind(outside.audit_log, outside.signing, verify)
    return keep
