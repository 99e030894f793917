"""Which permissions a call to AWS needs (Service Authorization Reference), and calls as botocore makes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3

OTHERWISE: Mapping[str, tuple[str, ...]] = {
    "kms:ReEncrypt": ("kms:ReEncryptFrom", "kms:ReEncryptTo"),
    "s3:AbortMultipartUpload": ("s3:AbortMultipartUpload",),
    "s3:CompleteMultipartUpload": ("s3:PutObject",),
    "s3:CreateMultipartUpload": ("s3:PutObject",),
    "s3:GetBucketEncryption": ("s3:GetEncryptionConfiguration",),
    "s3:GetBucketLifecycleConfiguration": ("s3:GetLifecycleConfiguration",),
    "s3:GetBucketReplication": ("s3:GetReplicationConfiguration",),
    "s3:GetObjectLockConfiguration": ("s3:GetBucketObjectLockConfiguration",),
    "s3:GetPublicAccessBlock": ("s3:GetBucketPublicAccessBlock",),
    "s3:HeadObject": ("s3:GetObject",),
    "s3:ListMultipartUploads": ("s3:ListBucketMultipartUploads",),
    "s3:ListObjectVersions": ("s3:ListBucketVersions",),
    "s3:ListObjectsV2": ("s3:ListBucket",),
    "s3:UploadPart": ("s3:PutObject",),
}
"""Operations whose permission has another name."""


def permissions(service: str, operation: str, asked: Mapping[str, Any]) -> set[str]:
    """Return what a call needs."""
    named = f"{service}:{operation}"
    if named == "s3:DeleteObjects":
        with_version = {"VersionId" in each for each in asked["Delete"]["Objects"]}
        return {"s3:DeleteObjectVersion" if each else "s3:DeleteObject" for each in with_version}
    if named == "s3:GetObject" and "VersionId" in asked:
        return {"s3:GetObjectVersion"}
    needed = set(OTHERWISE.get(named, (named,)))
    if "Tagging" in asked:
        needed.add("s3:PutObjectTagging")
    if named == "kms:CreateKey" and asked.get("Tags"):
        needed.add("kms:TagResource")
    return needed


def by_id(params: dict[str, Any], **_: object) -> dict[str, Any]:
    """Moto takes an ARN where KMS does, except to delete keys: there it wants the id at its end."""
    return {**params, "KeyId": params["KeyId"].rpartition("/")[2]}


def suit_moto(events: Any) -> None:
    """Have a client's or a session's calls say what moto understands."""
    for act in ("ScheduleKeyDeletion", "CancelKeyDeletion"):
        events.register(f"provide-client-params.kms.{act}", by_id)


class Recorded:
    """Calls of every client that is made while it listens: operation by operation, and what they need."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.needed: set[tuple[str, str]] = set()
        """Permission, and the bucket it is for; empty for none."""

    def __call__(self, params: Mapping[str, Any], model: Any, **_: object) -> None:
        service = str(model.service_model.signing_name)
        self.calls.append(f"{service}:{model.name}")
        for each in permissions(service, model.name, params):
            self.needed.add((each, str(params.get("Bucket", ""))))

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear of what clients do that are made within the block."""
        boto3.setup_default_session()
        events = boto3.DEFAULT_SESSION.events  # type: ignore[union-attr]
        events.register("before-parameter-build", self)
        suit_moto(events)
        try:
            yield
        finally:
            boto3.setup_default_session()
