"""The roles of the template: they allow what a whole life in Production does, and nothing that it does not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

import pytest

from tests.contract.conftest import Postgres
from tests.support.cloud import Cloud
from tests.support.production_life import Life, lived
from tests.support.stacks import NAME
from tests.support.templates import of_type

EITHER = {
    ("objects", "s3:AbortMultipartUpload"): "asked for only when an upload of more than 8 MiB is cut off",
    (
        "objects",
        "s3:ListBucket",
    ): "asked for by nobody: with it, S3 says 404 of what is not there, and 403 without",
    ("", "kms:GenerateDataKey"): "S3 asks for it in our name, when it encrypts what is put",
}
UNUSED: Mapping[str, Mapping[tuple[str, str], str]] = {
    "Serve": EITHER,
    "Work": EITHER
    | {("objects", "s3:DeleteObject"): "for what has no version: DeleteObjects names versions"},
}
"""Actions that no run uses, by what they are for, and why a role has them."""
BUCKETS = {"objects": "Objects", "ledger": "Ledger"}


def _allowed(role: str) -> dict[str, set[str]]:
    """Return what a role may do, by what it is for: a kind of bucket, or nothing."""
    [policy] = of_type("roles", "AWS::IAM::Role")[role]["Policies"]
    found = dict[str, set[str]]()
    for each in policy["PolicyDocument"]["Statement"]:
        said = json.dumps(each["Resource"])
        about = next((name for name in BUCKETS if f"-{name}" in said and "key" not in said), "")
        found.setdefault(about, set()).update(each["Action"])
    return found


@pytest.fixture
def bucket_names(cloud: Cloud) -> Iterator[tuple[str, str]]:
    """Take the objects' policy away meanwhile: moto knows no conditions, and so would refuse everything.

    The ledger is a bucket of this life's own: nobody can empty one that is locked, and others look at the account's.
    """
    s3, objects = cloud.client("s3"), cloud.exports[f"{NAME}-objects"]
    policy = s3.get_bucket_policy(Bucket=objects)["Policy"]
    s3.delete_bucket_policy(Bucket=objects)
    ledger = f"{NAME}-ledger-{uuid4()}"
    s3.create_bucket(Bucket=ledger, ObjectLockEnabledForBucket=True)
    yield objects, ledger
    s3.put_bucket_policy(Bucket=objects, Policy=policy)


async def _life(cloud: Cloud, postgres: Postgres, names: tuple[str, str]) -> Life:
    s3 = cloud.client("s3")

    async def erased() -> bool:
        left = s3.list_object_versions(Bucket=names[0])
        written = s3.list_objects_v2(Bucket=names[1]).get("Contents")
        return not left.get("Versions") and not left.get("DeleteMarkers") and bool(written)

    database, keyring = await postgres.database("roles"), await postgres.bare("roles_keys")
    return await lived(cloud.url, database, keyring, names, erased)


async def test_roles_allow_what_a_life_needs_and_nothing_else(
    cloud: Cloud, postgres: Postgres, bucket_names: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    life = await _life(cloud, postgres, bucket_names)
    for role, recorded in (("Serve", life.serve), ("Work", life.work)):
        allowed, used = _allowed(role), dict[str, set[str]]()
        kinds = {name: kind for kind, name in zip(BUCKETS, bucket_names, strict=True)}
        for action, bucket in recorded.needed:
            used.setdefault(kinds.get(bucket, ""), set()).add(action)
        for kind, actions in used.items():
            assert actions <= allowed[kind], f"{role} needs more of {kind or 'keys'}"
        for kind, actions in allowed.items():
            idle = actions - used.get(kind, set())
            assert not [each for each in idle if (kind, each) not in UNUSED[role]], (
                f"{role}: what no run used of {kind or 'keys'}"
            )


@pytest.mark.parametrize("role", ["Serve", "Work"])
def test_no_role_alters_the_ledger(role: str) -> None:
    assert _allowed(role)["ledger"] == {"s3:GetObject", "s3:PutObject", "s3:ListBucket"}


def test_what_serves_can_neither_delete_nor_end_a_key() -> None:
    may = set[str]().union(*_allowed("Serve").values())
    assert not [each for each in may if "Delete" in each or each in {"kms:CreateKey", "kms:ReEncryptTo"}]
    assert "kms:ScheduleKeyDeletion" in _allowed("Work")[""]


def test_nobody_may_do_everything_of_a_kind() -> None:
    for role, said in of_type("roles", "AWS::IAM::Role").items():
        for policy in said["Policies"]:
            for each in policy["PolicyDocument"]["Statement"]:
                actions: list[Any] = each["Action"]
                assert not [action for action in actions if "*" in action], role
