"""How long things are kept: the policy's periods as values, and the one question asked of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


def due(since: datetime, keep: timedelta, now: datetime) -> bool:
    """Tell whether what began at `since` has been kept for `keep`: never early, and true ever after."""
    return now >= since + keep


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """`what` is kept for `keep` (a day is 24 hours) under `clause` of PRIVACY.md."""

    clause: str
    keep: timedelta
    what: str

    def due(self, since: datetime, now: datetime) -> bool:
        """Tell whether something that began at `since` is due to go by `now`."""
        return due(since, self.keep, now)

    def ends(self, since: datetime) -> datetime:
        """Return the first instant at which something that began at `since` is due."""
        return since + self.keep

    def cutoff(self, now: datetime) -> datetime:
        """Return the latest `since` that is due by `now`; whatever began later is not."""
        return now - self.keep


def unused_after(period: timedelta) -> RetentionRule:
    """Return the rule by which accounts go that nobody has used for `period`."""
    return RetentionRule("T15", period, "accounts that nobody uses")


@dataclass(frozen=True, slots=True)
class Retention:
    """Every period, one rule a line."""

    soft_deleted: RetentionRule = RetentionRule("T2", timedelta(days=30), "accounts pending deletion")
    unused_account: RetentionRule | None = None
    """Accounts that nobody uses: none goes for it while no period is set (clause T15)."""
    unverified: RetentionRule = RetentionRule("T7", timedelta(hours=24), "sign-ups without verification")
    idle_session: RetentionRule = RetentionRule("T8", timedelta(days=30), "sessions that are not used")
    session: RetentionRule = RetentionRule("T8", timedelta(days=180), "sessions, from their beginning")
    ended_session: RetentionRule = RetentionRule("T5", timedelta(days=90), "revoked and expired sessions")
    released_number: RetentionRule = RetentionRule("T9", timedelta(days=7), "numbers that were given up")
    voicemail_audio: RetentionRule = RetentionRule("T3", timedelta(days=90), "the audio of voicemail")
    export: RetentionRule = RetentionRule("H15", timedelta(hours=24), "exports")
    live_event: RetentionRule = RetentionRule("T12", timedelta(hours=24), "live events")
    webhook_delivery: RetentionRule = RetentionRule("T14", timedelta(days=7), "what became of webhook calls")
    backup: RetentionRule = RetentionRule("T4", timedelta(days=30), "backups of the database")
    keyring_backup: RetentionRule = RetentionRule("H20", timedelta(days=7), "backups of the keys")
    closed_data_request: RetentionRule = RetentionRule(
        "T13", timedelta(days=730), "requests that came by letter"
    )
    idempotency: RetentionRule = RetentionRule("H6", timedelta(hours=24), "blind indexes of requests")
