"""What is asked of either bucket."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from bootstrap.doctor.checks import Check, unless
from bootstrap.doctor.examined import Examined
from bootstrap.worlds.amazon import REGION

OPEN = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


@dataclass(frozen=True, slots=True)
class Bucket:
    """What S3 says of a bucket."""

    name: str
    location: str
    versioning: str
    algorithm: str
    rules: list[dict[str, Any]]
    closed: dict[str, bool]
    ownership: str
    policy: list[dict[str, Any]]
    lock: dict[str, Any] | None
    replicated: bool
    logged: bool


async def read_bucket(examined: Examined, name: str) -> Bucket:
    """Read a bucket's settings, and nothing that lies in it."""
    aws = examined.amazon

    async def read(operation: str, *absent: str) -> dict[str, Any]:
        return await aws.or_none("s3", operation, *absent, Bucket=name) or {}

    located = await read("get_bucket_location")
    encrypted = await read("get_bucket_encryption", "ServerSideEncryptionConfigurationNotFoundError")
    [rule] = encrypted.get("ServerSideEncryptionConfiguration", {}).get("Rules", [{}])
    ownership = await read("get_bucket_ownership_controls", "OwnershipControlsNotFoundError")
    [owner] = ownership.get("OwnershipControls", {}).get("Rules", [{}])
    policy = (await read("get_bucket_policy", "NoSuchBucketPolicy")).get("Policy")
    lock = await read("get_object_lock_configuration", "ObjectLockConfigurationNotFoundError")
    lifecycle = await read("get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration")
    closed = await read("get_public_access_block", "NoSuchPublicAccessBlockConfiguration")
    return Bucket(
        name=name,
        location=located.get("LocationConstraint") or "us-east-1",
        versioning=(await read("get_bucket_versioning")).get("Status", "Off"),
        algorithm=rule.get("ApplyServerSideEncryptionByDefault", {}).get("SSEAlgorithm", ""),
        rules=lifecycle.get("Rules", []),
        closed=closed.get("PublicAccessBlockConfiguration", {}),
        ownership=owner.get("ObjectOwnership", ""),
        policy=json.loads(policy)["Statement"] if policy else [],
        lock=lock.get("ObjectLockConfiguration"),
        replicated=bool(await read("get_bucket_replication", "ReplicationConfigurationNotFoundError")),
        logged="LoggingEnabled" in await read("get_bucket_logging"),
    )


def denies(
    of: Bucket, actions: set[str], resources: set[str], condition: dict[str, Any] | None = None
) -> bool:
    """Tell whether the policy denies everybody these actions on these resources."""
    return any(
        each["Effect"] == "Deny"
        and each["Principal"] in ("*", {"AWS": "*"})
        and actions <= _many(each["Action"])
        and resources <= _many(each["Resource"])
        and each.get("Condition") == condition
        for each in of.policy
    )


def arns(of: Bucket) -> set[str]:
    """Return what names the bucket and everything in it."""
    return {f"arn:aws:s3:::{of.name}", f"arn:aws:s3:::{of.name}/*"}


def _many(said: str | list[str]) -> set[str]:
    return {said} if isinstance(said, str) else set(said)


def _closed(of: Bucket) -> str | None:
    return unless(all(of.closed.get(each) for each in OPEN), "It could be opened to the public.")


def _by_tls(of: Bucket) -> str | None:
    only = {"Bool": {"aws:SecureTransport": "false"}}
    return unless(denies(of, {"s3:*"}, arns(of), only), "It answers without TLS.")


COMMON: tuple[Check[Bucket], ...] = (
    Check(
        "region",
        ("X1",),
        f"It lies in {REGION}.",
        lambda of: unless(of.location == REGION, f"It lies in {of.location}."),
    ),
    Check("closed", ("S3",), "Nobody can open it to the public.", _closed),
    Check(
        "owner",
        ("S3",),
        "Everything in it belongs to this account.",
        lambda of: unless(of.ownership == "BucketOwnerEnforced", "Others may own what lies in it."),
    ),
    Check("tls", ("H14",), "It answers by TLS only.", _by_tls),
    Check(
        "versioned",
        ("H9", "H10"),
        "Nothing in it is replaced unseen.",
        lambda of: unless(of.versioning == "Enabled", "It keeps no versions."),
    ),
    Check(
        "copies",
        ("X1", "H9"),
        "It is copied nowhere.",
        lambda of: unless(not of.replicated, "It is replicated to another bucket."),
    ),
    Check(
        "no-log",
        ("C6",),
        "Nobody writes down who asked for what.",
        lambda of: unless(not of.logged, "Access to it is logged, with addresses."),
    ),
)
"""What is asked of both."""
