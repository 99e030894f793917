"""Both databases as AWS runs them: encrypted, reached by TLS from inside, and backed up for as long as policy says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from bootstrap.doctor.checks import CannotTell, Check, Part, unless
from bootstrap.doctor.examined import Examined, when
from bootstrap.worlds.amazon import REGION
from domain.retention import Retention

GONE = ("DBInstanceNotFound", "DBInstanceNotFoundFault")


@dataclass(frozen=True, slots=True)
class Instance:
    """What AWS says of one database. `other` is the key that encrypts the other one."""

    said: dict[str, Any]
    parameters: dict[str, str]
    snapshots: list[dict[str, Any]]
    shared: list[str]
    copies: list[str]
    other: str
    keep: timedelta
    url: str
    oldest: timedelta


async def _read(examined: Examined, name: str, other: str, url: str, keep: timedelta) -> Instance:
    aws, called = examined.amazon, examined.production.aws_name

    async def described(which: str) -> dict[str, Any]:
        found = await aws.or_none("rds", "describe_db_instances", *GONE, DBInstanceIdentifier=which)
        if found is None:
            raise CannotTell(f"There is no database {which}: PICO_AWS_NAME may be another.")
        [instance] = found["DBInstances"]
        return dict(instance)

    said = await described(f"{called}-{name}")
    parameters = dict[str, str]()
    for group in said["DBParameterGroups"]:
        listed = await aws.all(
            "rds", "describe_db_parameters", "Parameters", DBParameterGroupName=group["DBParameterGroupName"]
        )
        parameters |= {each["ParameterName"]: each.get("ParameterValue", "") for each in listed}
    made = await aws.all(
        "rds",
        "describe_db_snapshots",
        "DBSnapshots",
        DBInstanceIdentifier=said["DBInstanceIdentifier"],
        SnapshotType="manual",
    )
    shared = []
    for each in made:
        answer = await aws(
            "rds", "describe_db_snapshot_attributes", DBSnapshotIdentifier=each["DBSnapshotIdentifier"]
        )
        values = answer["DBSnapshotAttributesResult"]["DBSnapshotAttributes"]
        if any(one["AttributeName"] == "restore" and one.get("AttributeValues") for one in values):
            shared.append(each["DBSnapshotIdentifier"])
    ages = [
        examined.now() - when(each["SnapshotCreateTime"]) for each in made if "SnapshotCreateTime" in each
    ]
    copies = [*said.get("ReadReplicaDBInstanceIdentifiers", [])]
    copies += [
        each["DBInstanceAutomatedBackupsArn"]
        for each in said.get("DBInstanceAutomatedBackupsReplications", [])
    ]
    return Instance(
        said=said,
        parameters=parameters,
        snapshots=made,
        shared=shared,
        copies=copies,
        other=(await described(f"{called}-{other}")).get("KmsKeyId", ""),
        keep=keep,
        url=url,
        oldest=max(ages, default=timedelta()),
    )


def _leads_there(of: Instance) -> str | None:
    host = urlsplit(of.url).hostname
    return unless(
        host == of.said["Endpoint"]["Address"].lower(), "The configured address leads to another database."
    )


def _is_here(of: Instance) -> str | None:
    return unless(of.said["DBInstanceArn"].split(":")[3] == REGION, "It runs in another region.")


def _kept_as_long(of: Instance) -> str | None:
    days, kept = of.keep.days, of.said["BackupRetentionPeriod"]
    return unless(kept == days, f"Snapshots and WAL are kept for {kept} days, and should be for {days}.")


def _none_older(of: Instance) -> str | None:
    return unless(
        of.oldest <= of.keep,
        f"A snapshot that was made by hand is {of.oldest.days} days old, and nothing will delete it.",
    )


def checks(days: int, clause: str) -> tuple[Check[Instance], ...]:
    """Return what is asked of either database."""
    return (
        Check("address", ("S3",), "The configured address leads to it.", _leads_there),
        Check("region", ("X1",), f"It runs in {REGION}.", _is_here),
        Check(
            "encrypted",
            ("H2",),
            "Its disk and its snapshots are encrypted.",
            lambda of: unless(of.said["StorageEncrypted"], "Its disk is not encrypted."),
        ),
        Check("backups", (clause,), f"Snapshots and WAL are kept for {days} days.", _kept_as_long),
        Check(
            "old-snapshots",
            (clause,),
            f"No snapshot that was made by hand is older than {days} days.",
            _none_older,
        ),
        Check(
            "shared-snapshots",
            ("S3",),
            "No snapshot is shared.",
            lambda of: unless(not of.shared, f"{len(of.shared)} snapshots can be restored by others."),
        ),
        Check(
            "copies",
            (clause, "X1"),
            "It has no replica, and its backups go nowhere else.",
            lambda of: unless(not of.copies, f"There are {len(of.copies)} copies that no erasure reaches."),
        ),
        Check(
            "protected",
            ("T1",),
            "It cannot be deleted by one call.",
            lambda of: unless(of.said["DeletionProtection"], "Nothing protects it from being deleted."),
        ),
        Check(
            "private",
            ("S3",),
            "Nothing outside of the network reaches it.",
            lambda of: unless(not of.said["PubliclyAccessible"], "It can be reached from the internet."),
        ),
        Check(
            "tls-forced",
            ("H14",),
            "It refuses connections in clear.",
            lambda of: unless(
                of.parameters.get("rds.force_ssl") == "1",
                "It takes connections in clear: rds.force_ssl is not 1.",
            ),
        ),
        Check(
            "no-statements",
            ("H14",),
            "Nothing keeps the statements that it runs.",
            lambda of: unless(
                not of.said.get("PerformanceInsightsEnabled"), "Performance Insights keeps statements."
            ),
        ),
    )


_policy = Retention()


async def _rows(examined: Examined) -> Instance:
    return await _read(examined, "rows", "keyring", examined.database_url, _policy.backup.keep)


async def _keyring(examined: Examined) -> Instance:
    return await _read(examined, "keyring", "rows", examined.keyring_url, _policy.keyring_backup.keep)


ROWS = Part(name="rows", read=_rows, checks=checks(_policy.backup.keep.days, "T4"))
KEYRING = Part(
    name="keyring",
    read=_keyring,
    checks=(
        *checks(_policy.keyring_backup.keep.days, "H20"),
        Check(
            "own-key",
            ("H20",),
            "Its disk has a key that the rows' disk has not.",
            lambda of: unless(
                of.said.get("KmsKeyId", "") not in {"", of.other},
                "One key encrypts the disks of both databases.",
            ),
        ),
    ),
)
