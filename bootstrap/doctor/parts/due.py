"""What the database holds: a schema of this version, and nothing whose time is over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.outbound.postgres.schema import newest_revisions
from application.ports.jobs import ERASURE_JOB
from bootstrap.doctor.checks import Check, Part, unless
from bootstrap.doctor.examined import Examined
from domain.retention import Retention

SLACK = timedelta(hours=1)
"""How much later than its time something may be found: the policy says minutes, and an outage is no breach yet."""

_DEAD = "SELECT count(*) FROM jobs WHERE state = 'dead' AND name = $1"
_OLDEST: Mapping[str, tuple[str, str, str]] = {
    "accounts": (
        "T2",
        "accounts pending deletion",
        "SELECT min(erase_at) FROM accounts WHERE state = 'pending_deletion'",
    ),
    "voicemail": ("T3", "audio of voicemail", "SELECT min(created_at) FROM voicemails WHERE state = 'kept'"),
    "sessions": ("T5", "ended sessions", "SELECT min(revoked_at) FROM sessions"),
    "sign-ups": (
        "T7",
        "sign-ups without verification",
        "SELECT min(created_at) FROM accounts WHERE state = 'unverified'",
    ),
    "exports": ("H15", "exports", "SELECT min(expires_at) FROM exports"),
    "live-events": ("T12", "live events", "SELECT min(at) FROM live_events"),
    "requests": ("H6", "fingerprints of requests", "SELECT min(expires_at) FROM idempotency_records"),
}
"""What falls due, by its clause, and the oldest there is."""


@dataclass(frozen=True, slots=True)
class Held:
    """What was found. `due` is when the oldest of a kind was to go, where there is one."""

    rows: str | None
    keyring: str | None
    newest: tuple[str, str]
    due: Mapping[str, datetime]
    dead: int
    now: datetime


async def _read(examined: Examined) -> Held:
    policy = Retention()
    after = {
        "voicemail": policy.voicemail_audio.keep,
        "sessions": policy.ended_session.keep,
        "sign-ups": policy.unverified.keep,
        "live-events": policy.live_event.keep,
    }
    due = {}
    async with examined.reading(examined.database_url) as connection:
        rows = await connection.fetchval("SELECT version_num FROM alembic_version")
        for name, (_, _, oldest) in _OLDEST.items():
            if (since := await connection.fetchval(oldest)) is not None:
                due[name] = since + after.get(name, timedelta())
        dead = await connection.fetchval(_DEAD, ERASURE_JOB)
    async with examined.reading(examined.keyring_url) as connection:
        keyring = await connection.fetchval("SELECT version_num FROM keyring_version")
    return Held(rows, keyring, newest_revisions(), due, dead, examined.now())


def _in_time(name: str) -> Check[Held]:
    clause, what, _ = _OLDEST[name]

    def wrong(of: Held) -> str | None:
        since = of.due.get(name)
        if since is None or of.now <= since + SLACK:
            return None
        return f"The oldest of {what} should have gone {of.now - since} ago."

    return Check(name, (clause,), f"No {what} are kept past their time.", wrong)


PART = Part(
    name="due",
    read=_read,
    in_sandbox=True,
    checks=(
        Check(
            "schema",
            ("H2",),
            "The database has the schema of this version.",
            lambda of: unless(
                of.rows == of.newest[0], "The database has the schema of another version: run `pico migrate`."
            ),
        ),
        Check(
            "keyring-schema",
            ("H2",),
            "The keyring has the schema of this version.",
            lambda of: unless(
                of.keyring == of.newest[1],
                "The keyring has the schema of another version: run `pico migrate`.",
            ),
        ),
        *map(_in_time, _OLDEST),
        Check(
            "erasures",
            ("H9",),
            "No erasure was set aside.",
            lambda of: unless(not of.dead, f"{of.dead} erasures were set aside: see `pico erasures`."),
        ),
    ),
)
