"""Postures broken on purpose at AWS, by the check that should find each."""

from __future__ import annotations

import copy
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.elasticache.models import elasticache_backends
from moto.rds.models import rds_backends
from pydantic import SecretStr

from tests.contract.doctor.breaking import Break, answered, asked, both, configured, held
from tests.contract.doctor.conftest import Standing
from tests.support.stacks import NAME, lifecycle
from tests.support.templates import ACCOUNT, REGION, of_type, resolved

LONG_AGO = datetime.now(UTC) - timedelta(days=365)


def _snapshot(called: str, *, old: bool = False, shared: bool = False) -> Break:
    """Take a snapshot by hand, which nothing deletes."""

    @asynccontextmanager
    async def act(standing: Standing) -> AsyncIterator[None]:
        rds, name = standing.cloud.client("rds"), f"{called}-by-hand"
        rds.create_db_snapshot(DBSnapshotIdentifier=name, DBInstanceIdentifier=called)
        if old:
            rds_backends[ACCOUNT][REGION].database_snapshots[name].created = LONG_AGO
        if shared:
            rds.modify_db_snapshot_attribute(
                DBSnapshotIdentifier=name, AttributeName="restore", ValuesToAdd=["210987654321"]
            )
        yield
        rds.delete_db_snapshot(DBSnapshotIdentifier=name)

    return act


@asynccontextmanager
async def _loud_group(standing: Standing) -> AsyncIterator[None]:
    """Make a group of parameters as RDS has it by default."""
    rds = standing.cloud.client("rds")
    rds.create_db_parameter_group(
        DBParameterGroupName="loud", DBParameterGroupFamily="postgres17", Description="Nothing of ours"
    )
    yield
    rds.delete_db_parameter_group(DBParameterGroupName="loud")


def _database(name: str, days: int, others: int) -> dict[str, Break]:
    called = f"{NAME}-{name}"

    def instance() -> Any:
        return rds_backends[ACCOUNT][REGION].databases[called]

    def said(**otherwise: Any) -> Break:
        def change(parsed: dict[str, Any]) -> None:
            for each in parsed["DBInstances"]:
                if each["DBInstanceIdentifier"] == called:
                    each.update(otherwise)

        return answered("rds", "DescribeDBInstances", change)

    def modified(setting: str, was: Any, to: Any) -> Break:
        return asked("rds", "modify_db_instance", {setting: to}, {setting: was}, DBInstanceIdentifier=called)

    broken = {
        "address": said(Endpoint={"Address": "elsewhere.example", "Port": 5432}),
        "region": said(DBInstanceArn=f"arn:aws:rds:eu-west-1:{ACCOUNT}:db:{called}"),
        "encrypted": held(instance, "storage_encrypted", value=False),
        "backups": modified("BackupRetentionPeriod", days, others),
        "old-snapshots": _snapshot(called, old=True),
        "shared-snapshots": _snapshot(called, shared=True),
        "copies": said(ReadReplicaDBInstanceIdentifiers=[f"{called}-copy"]),
        "protected": modified("DeletionProtection", was=True, to=False),
        "private": held(instance, "publicly_accessible", value=True),
        "tls-forced": both(_loud_group, said(DBParameterGroups=[{"DBParameterGroupName": "loud"}])),
        "no-statements": said(PerformanceInsightsEnabled=True),
    }
    return {f"{name}.{check}": each for check, each in broken.items()}


def _one_key(parsed: dict[str, Any]) -> None:
    for each in parsed["DBInstances"]:
        each["KmsKeyId"] = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/one-for-both"


def _properties(of: str) -> tuple[str, dict[str, Any], list[dict[str, Any]]]:
    """Return a bucket's name, its properties and its policy's statements, as the template has them."""
    name = f"{NAME}-{of.lower()}-{ACCOUNT}"
    refs = {of: name, f"{of}.Arn": f"arn:aws:s3:::{name}"}
    policy = of_type("objects", "AWS::S3::BucketPolicy")[f"{of}Policy"]["PolicyDocument"]
    return name, of_type("objects", "AWS::S3::Bucket")[of], resolved(policy["Statement"], refs, {})


def _without(of: str, sid: str) -> Break:
    """Take one statement out of a bucket's policy."""
    name, _, statements = _properties(of)

    def policy(without: str) -> dict[str, str]:
        kept = [each for each in statements if each["Sid"] != without]
        kept.append({"Sid": "Nothing", "Effect": "Allow", "Principal": "*", "Action": [], "Resource": []})
        return {"Policy": json.dumps({"Version": "2012-10-17", "Statement": kept})}

    return asked("s3", "put_bucket_policy", policy(sid), policy(""), Bucket=name)


def _put(of: str, operation: str, setting: str, broken: Any, mended: Any) -> Break:
    return asked("s3", operation, {setting: broken}, {setting: mended}, Bucket=_properties(of)[0])


def _bucket(of: str) -> dict[str, Break]:
    name, stands, _ = _properties(of)
    closed = stands["PublicAccessBlockConfiguration"]

    def said(operation: str, key: str, value: Any) -> Break:
        return answered("s3", operation, lambda parsed: parsed.update({key: value}), Bucket=name)

    broken = {
        "region": said("GetBucketLocation", "LocationConstraint", "eu-west-1"),
        "closed": _put(
            of,
            "put_public_access_block",
            "PublicAccessBlockConfiguration",
            {**closed, "BlockPublicPolicy": False},
            closed,
        ),
        "owner": _put(
            of,
            "put_bucket_ownership_controls",
            "OwnershipControls",
            {"Rules": [{"ObjectOwnership": "ObjectWriter"}]},
            stands["OwnershipControls"],
        ),
        "tls": _without(of, "TlsOnly"),
        "no-log": said("GetBucketLogging", "LoggingEnabled", {"TargetBucket": "logs", "TargetPrefix": ""}),
    }
    return {f"{of.lower()}.{check}": each for check, each in broken.items()}


def _rules(change: Callable[[list[dict[str, Any]]], None]) -> Break:
    """Have the bucket of objects delete otherwise."""
    rules = [lifecycle(rule) for rule in _properties("Objects")[1]["LifecycleConfiguration"]["Rules"]]
    broken = copy.deepcopy(rules)
    change(broken)
    return _put(
        "Objects",
        "put_bucket_lifecycle_configuration",
        "LifecycleConfiguration",
        {"Rules": broken},
        {"Rules": rules},
    )


def _locked(**otherwise: Any) -> Break:
    lock = _properties("Ledger")[1]["ObjectLockConfiguration"]
    broken = {**lock, "Rule": {"DefaultRetention": {**lock["Rule"]["DefaultRetention"], **otherwise}}}
    return _put("Ledger", "put_object_lock_configuration", "ObjectLockConfiguration", broken, lock)


def _replicated(of: str) -> Break:
    """Have a bucket copied to another."""
    name = _properties(of)[0]
    to = {"Bucket": "arn:aws:s3:::another"}
    rule = {"ID": "all", "Status": "Enabled", "Priority": 1, "Filter": {"Prefix": ""}, "Destination": to}

    @asynccontextmanager
    async def act(standing: Standing) -> AsyncIterator[None]:
        s3 = standing.cloud.client("s3")
        role = {"Role": f"arn:aws:iam::{ACCOUNT}:role/copies", "Rules": [rule]}
        s3.put_bucket_replication(Bucket=name, ReplicationConfiguration=role)
        yield
        s3.delete_bucket_replication(Bucket=name)

    return act


def _a_record(parsed: dict[str, Any]) -> None:
    """Tell of a record that the database knows nothing of."""
    parsed["Contents"] = [{"Key": "erasures/000000000001"}]


def _group(name: str, value: Any) -> Break:
    return held(
        lambda: elasticache_backends[ACCOUNT][REGION].replication_groups[f"{NAME}-cache"], name, value
    )


def _redis(before: str, after: str) -> Break:
    def change(standing: Standing) -> dict[str, Any]:
        assert standing.settings.redis_url is not None
        said = standing.settings.redis_url.get_secret_value().replace(before, after)
        return {"redis_url": SecretStr(said)}

    return configured(change)


POSTURES: dict[str, Break] = {
    **_database("rows", 30, 1),
    **_database("keyring", 7, 30),
    "keyring.own-key": answered("rds", "DescribeDBInstances", _one_key),
    **_bucket("Objects"),
    "objects.encrypted": answered(
        "s3",
        "GetBucketEncryption",
        lambda parsed: parsed["ServerSideEncryptionConfiguration"].update(Rules=[{}]),
        Bucket=_properties("Objects")[0],
    ),
    "objects.versioned": _put(
        "Objects",
        "put_bucket_versioning",
        "VersioningConfiguration",
        {"Status": "Suspended"},
        {"Status": "Enabled"},
    ),
    "objects.copies": _replicated("Objects"),
    "objects.voicemail": _rules(lambda rules: rules[0]["Expiration"].update(Days=120)),
    "objects.others": _rules(
        lambda rules: rules.append(
            {"ID": "all", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 365}}
        )
    ),
    "objects.old-versions": _rules(
        lambda rules: rules[1]["NoncurrentVersionExpiration"].update(NoncurrentDays=30)
    ),
    "objects.uploads": _rules(
        lambda rules: rules[1]["AbortIncompleteMultipartUpload"].update(DaysAfterInitiation=30)
    ),
    **_bucket("Ledger"),
    "ledger.copies": _replicated("Ledger"),
    "ledger.locked": _locked(Mode="GOVERNANCE"),
    "ledger.lock-outlives-backups": _locked(Days=7),
    "ledger.never-deleted": _without("Ledger", "NobodyDeletes"),
    "ledger.written-once": _without("Ledger", "NobodyWritesTwice"),
    "gate.database": answered("s3", "ListObjectsV2", _a_record, StartAfter="erasures/000000000000"),
    "cache.address": _redis("//:password@master.", "//:password@other."),
    "cache.tls": _redis("rediss://", "redis://"),
    "cache.tls-forced": _group("transit_encryption_mode", "preferred"),
    "cache.encrypted": _group("at_rest_encryption_enabled", value=False),
    "cache.keeps-nothing": _group("snapshot_retention_limit", 7),
    "cache.password": _group("auth_token_enabled", value=False),
}
