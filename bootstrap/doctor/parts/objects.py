"""The bucket of objects: sealed content, of which nothing stays that should be gone."""

from __future__ import annotations

from typing import Any

from adapters.outbound.aws.objects import TAG
from application.voicemail_audio import BACKSTOP
from bootstrap.doctor.buckets import COMMON, Bucket, read_bucket
from bootstrap.doctor.checks import Check, Part, unless
from bootstrap.doctor.examined import Examined


async def _read(examined: Examined) -> Bucket:
    return await read_bucket(examined, examined.production.objects_bucket)


def _is_for_all(rule: dict[str, Any]) -> bool:
    return rule["Status"] == "Enabled" and rule.get("Filter", {}) in ({}, {"Prefix": ""})


def _voicemail(of: Bucket) -> str | None:
    wanted = {"Tag": {"Key": TAG, "Value": str(BACKSTOP)}}
    days = [
        rule.get("Expiration", {}).get("Days")
        for rule in of.rules
        if rule["Status"] == "Enabled" and rule.get("Filter") == wanted
    ]
    return unless(
        BACKSTOP in days, f"No rule deletes what bears the tag {TAG}={BACKSTOP} after so many days."
    )


def _nothing_else(of: Bucket) -> str | None:
    others = [
        rule
        for rule in of.rules
        if rule["Status"] == "Enabled" and "Days" in rule.get("Expiration", {}) and _is_for_all(rule)
    ]
    return unless(not others, "A rule deletes whatever grows old: pictures live as long as their account.")


def _old_versions(of: Bucket) -> str | None:
    days = [
        rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays")
        for rule in of.rules
        if _is_for_all(rule)
    ]
    return unless(1 in days, "No rule deletes old versions after a day: what was deleted may still be there.")


def _uploads(of: Bucket) -> str | None:
    days = [
        rule.get("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation")
        for rule in of.rules
        if _is_for_all(rule)
    ]
    return unless(1 in days, "No rule deletes what is left of uploads that were cut off.")


def _encrypted(of: Bucket) -> str | None:
    return unless(of.algorithm == "aws:kms", "Nothing encrypts it under a key of this account.")


PART = Part(
    name="objects",
    read=_read,
    checks=(
        *COMMON,
        Check(
            "encrypted",
            ("C10", "C15"),
            "What is put there is encrypted once more, under a key of this account.",
            _encrypted,
        ),
        Check(
            "voicemail",
            ("T3",),
            f"What is marked as voicemail is gone after {BACKSTOP} days at the latest.",
            _voicemail,
        ),
        Check("others", ("T1", "C15"), "Nothing else is deleted for its age.", _nothing_else),
        Check("old-versions", ("H9", "H19"), "Old versions are gone after a day.", _old_versions),
        Check("uploads", ("H9",), "Uploads that were cut off are gone after a day.", _uploads),
        Check(
            "no-lock",
            ("H9",),
            "Nothing keeps an object from being deleted.",
            lambda of: unless(of.lock is None, "Object Lock keeps objects from being deleted."),
        ),
    ),
)
