"""The bucket of the erasure ledger, and whether the database is as the ledger says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adapters.outbound.aws.ledger import PREFIX, name_of
from adapters.outbound.postgres.ledger_place import LEDGER, NOTED
from bootstrap.doctor.buckets import COMMON, Bucket, arns, denies, read_bucket
from bootstrap.doctor.checks import Check, Part, unless
from bootstrap.doctor.examined import Examined
from domain.retention import Retention

OLDEST = Retention().backup.keep.days
"""How long the oldest backup lives, in days: as long at least, its ledger must be beyond everybody."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far the ledger is, and how far the database knows it to be, which was asked before."""

    written: int
    noted: int


async def _read(examined: Examined) -> Bucket:
    return await read_bucket(examined, examined.production.ledger_bucket)


async def _read_place(examined: Examined) -> Place:
    async with examined.reading(examined.database_url) as connection:
        row = await connection.fetchrow(NOTED, LEDGER)
    bucket = examined.production.ledger_bucket
    noted: int = 0 if row is None else row["number"]
    known = name_of(noted)
    later = await examined.amazon.all(
        "s3", "list_objects_v2", "Contents", Bucket=bucket, Prefix=PREFIX, StartAfter=known
    )
    there = await examined.amazon.all("s3", "list_objects_v2", "Contents", Bucket=bucket, Prefix=known)
    written = noted if there or noted == 0 else noted - 1
    return Place(max([written, *(int(each["Key"].removeprefix(PREFIX)) for each in later)]), noted)


def _retention(of: Bucket) -> dict[str, Any]:
    rule: dict[str, Any] = (of.lock or {}).get("Rule", {}).get("DefaultRetention", {})
    return rule


def _days(of: Bucket) -> int:
    rule = _retention(of)
    return int(rule.get("Days") or 0) + 365 * int(rule.get("Years") or 0)


def _never_deleted(of: Bucket) -> str | None:
    deleting = {"s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutLifecycleConfiguration"}
    return unless(denies(of, deleting, arns(of)), "Its policy lets somebody hide or delete records.")


def _once(of: Bucket) -> str | None:
    never = {"Null": {"s3:if-none-match": "true"}}
    everything = {f"arn:aws:s3:::{of.name}/*"}
    return unless(denies(of, {"s3:PutObject"}, everything, never), "A record can be written over.")


PART = Part(
    name="ledger",
    read=_read,
    checks=(
        *COMMON,
        Check(
            "encrypted",
            ("H10",),
            "It is encrypted at rest.",
            lambda of: unless(bool(of.algorithm), "Nothing encrypts it."),
        ),
        Check(
            "locked",
            ("H10",),
            "Nobody can delete a record, whatever they may do here.",
            lambda of: unless(
                _retention(of).get("Mode") == "COMPLIANCE", "Object Lock is not in compliance mode."
            ),
        ),
        Check(
            "lock-outlives-backups",
            ("H12",),
            f"Records are locked for longer than {OLDEST} days.",
            lambda of: unless(
                _days(of) > OLDEST,
                f"Records are locked for {_days(of)} days, and the oldest backup lives for {OLDEST}.",
            ),
        ),
        Check("never-deleted", ("H10",), "Its policy lets nobody hide or delete a record.", _never_deleted),
        Check("written-once", ("H10",), "Its policy lets nobody write over a record.", _once),
        Check(
            "kept",
            ("H10",),
            "No rule deletes records for their age.",
            lambda of: unless(not of.rules, "A rule of the bucket deletes records for their age."),
        ),
    ),
)

GATE = Part(
    name="gate",
    read=_read_place,
    checks=(
        Check(
            "database",
            ("H12",),
            "The database knows of every erasure in the ledger.",
            lambda of: unless(
                of.written <= of.noted,
                f"The database is {of.written - of.noted} records behind: restored, or about to note them.",
            ),
        ),
        Check(
            "ledger",
            ("H10", "H12"),
            "The ledger is the one that the database knows.",
            lambda of: unless(
                of.written >= of.noted, "The ledger is missing, or an earlier one than the database knows."
            ),
        ),
    ),
)
