"""Master keys: one that wraps, and those before it that are going or gone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bootstrap.doctor.checks import Check, Part, unless
from bootstrap.doctor.examined import Examined
from bootstrap.worlds.amazon import REGION

LATE = timedelta(days=1)
"""How late an epoch may turn before something holds it up; and KMS may be in deleting a key."""
PENDING = "PendingDeletion"

_EPOCHS = "SELECT number, master, began_at, gone_at FROM epochs ORDER BY number"
_USED = "SELECT master FROM account_keys UNION SELECT master FROM system_keys"


@dataclass(frozen=True, slots=True)
class Epoch:
    """One master key: as the keyring notes it, and as KMS tells of it; None where KMS knows of none."""

    number: int
    master: str
    began_at: datetime
    gone_at: datetime | None
    said: dict[str, Any] | None
    grants: int = 0
    rotates: bool = False


@dataclass(frozen=True, slots=True)
class Keys:
    """Every epoch, the oldest first. Before the first key was made there is none."""

    epochs: tuple[Epoch, ...]
    used: frozenset[str]
    period: timedelta
    now: datetime

    @property
    def newest(self) -> Epoch | None:
        """The epoch under which keys are wrapped."""
        return self.epochs[-1] if self.epochs else None

    @property
    def living(self) -> tuple[Epoch, ...]:
        """Those whose key KMS still has."""
        return tuple(each for each in self.epochs if each.said is not None)


async def _read(examined: Examined) -> Keys:
    aws = examined.amazon
    async with examined.reading(examined.keyring_url) as connection:
        rows = await connection.fetch(_EPOCHS)
        used = frozenset(row["master"] for row in await connection.fetch(_USED))
    epochs = []
    for row in rows:
        master = row["master"]
        described = await aws.or_none("kms", "describe_key", "NotFoundException", KeyId=master)
        said, grants, rotates = (described or {}).get("KeyMetadata"), 0, False
        if said is not None and said["KeyState"] != PENDING:
            grants = len(await aws.all("kms", "list_grants", "Grants", KeyId=master))
            rotates = (await aws("kms", "get_key_rotation_status", KeyId=master))["KeyRotationEnabled"]
        epochs.append(Epoch(row["number"], master, row["began_at"], row["gone_at"], said, grants, rotates))
    return Keys(tuple(epochs), used, examined.settings.epoch_policy.period, examined.now())


def _enabled(of: Keys) -> str | None:
    newest = of.newest
    if newest is None:
        return None
    state = "gone" if newest.said is None else newest.said["KeyState"]
    return unless(state == "Enabled", f"The newest master key is {state}: nobody's data can be read.")


def _in_time(of: Keys) -> str | None:
    if of.newest is None or of.now < of.newest.began_at + of.period + LATE:
        return None
    return f"The newest master key has wrapped for {(of.now - of.newest.began_at).days} days, and none took its place."


def _going(of: Keys) -> str | None:
    staying = [
        each.number
        for each in of.epochs[:-1]
        if each.said is not None and (each.gone_at is None or each.said["KeyState"] != PENDING)
    ]
    wait = of.newest is not None and of.now < of.newest.began_at + LATE
    return unless(
        not staying or (wait and staying == [of.epochs[-2].number]),
        f"{len(staying)} former master keys are not being deleted: the first is that of epoch {staying[:1]}.",
    )


def _gone(of: Keys) -> str | None:
    late = [
        each.number
        for each in of.epochs
        if each.gone_at is not None and each.said is not None and each.gone_at + LATE < of.now
    ]
    return unless(not late, f"The master key of epoch {late[:1]} should be gone: somebody keeps it.")


def _wrapped(of: Keys) -> str | None:
    ended = {each.master for each in of.epochs if each.gone_at is not None}
    return unless(not (of.used & ended), "Keys are wrapped under a master key that is being deleted.")


def _here(of: Keys) -> str | None:
    wrong = [
        each.number
        for each in of.living
        if each.said and (each.said["Arn"].split(":")[3] != REGION or each.said.get("MultiRegion"))
    ]
    return unless(not wrong, f"The master key of epoch {wrong[:1]} is in another region, too.")


def _ours(of: Keys) -> str | None:
    wrong = [
        each.number for each in of.living if each.said and each.said.get("Origin", "AWS_KMS") != "AWS_KMS"
    ]
    return unless(not wrong, f"The material of epoch {wrong[:1]} came from outside, where a copy may be.")


PART = Part(
    name="keys",
    read=_read,
    checks=(
        Check("enabled", ("H8",), "The newest master key wraps.", _enabled),
        Check("in-time", ("H60",), "A new master key takes over in time.", _in_time),
        Check("former", ("H60",), "Former master keys are being deleted.", _going),
        Check("gone", ("H60",), "Those whose time is over are gone.", _gone),
        Check("wrapped", ("H60",), "Nothing is wrapped under one that goes.", _wrapped),
        Check("region", ("X1",), f"They are in {REGION} and nowhere else.", _here),
        Check("origin", ("H8",), "Their material was made at KMS and never left it.", _ours),
        Check(
            "grants",
            ("S3",),
            "Nobody was granted their use beside the roles.",
            lambda of: unless(
                not any(each.grants for each in of.living), "Somebody was granted the use of a master key."
            ),
        ),
        Check(
            "no-rotation",
            ("H60",),
            "KMS keeps no former material of them.",
            lambda of: unless(
                not any(each.rotates for each in of.living),
                "KMS rotates a master key, and keeps its former material.",
            ),
        ),
    ),
)
