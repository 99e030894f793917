"""Checks of what no posture can break here: a clock that is wrong, rows that are too old, calls that are recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.outbound.twilio.recordings import MESSAGE
from bootstrap.doctor.buckets import Bucket
from bootstrap.doctor.checks import CannotTell, Check
from bootstrap.doctor.parts import PARTS
from bootstrap.doctor.parts.clocks import Clocks
from bootstrap.doctor.parts.due import SLACK, Held
from bootstrap.doctor.parts.sentry import Reported
from bootstrap.doctor.parts.servers import Server
from bootstrap.doctor.parts.twilio import PATIENCE, AtTwilio
from tests.contract.doctor.postures_aws import POSTURES as AT_AWS
from tests.contract.doctor.postures_here import POSTURES as HERE

NOW = datetime(2026, 3, 1, tzinfo=UTC)
YOUNG, OLD = NOW - PATIENCE, NOW - PATIENCE - timedelta(seconds=1)
MOMENT = timedelta(microseconds=1)
CHECKS: dict[str, Check[Any]] = {
    f"{part.name}.{check.name}": check for part in PARTS for check in part.checks
}

HELD = Held("0", "0", ("0", "0"), {}, 0, NOW)
SERVER = Server({}, mighty=False, owns=False, alters=0, slots=0, system=1, other=2, url="")
TWILIO = AtTwilio(
    webhooks="", numbers=[], recordings=[], messages=0, calls=0, application=None, wanted=False, now=NOW
)
BUCKET = Bucket(
    name="b", location="us-east-1", versioning="Enabled", algorithm="AES256", rules=[], closed={}, ownership="",
    policy=[], lock=None, replicated=False, logged=False,
)  # fmt: skip
REPORTED = Reported("ValueError in application.messages", "")


def due(name: str) -> tuple[Held, Held]:
    return replace(HELD, due={name: NOW - SLACK}), replace(HELD, due={name: NOW - SLACK - MOMENT})


def clock(name: str) -> tuple[Clocks, Clocks]:
    return Clocks({name: timedelta(seconds=-1)}), Clocks({name: timedelta(minutes=-10)})


def recorded(at: datetime, source: str = MESSAGE) -> AtTwilio:
    return replace(TWILIO, recordings=[SimpleNamespace(source=source, date_created=at)])


libraries = replace(SERVER, settings={"shared_preload_libraries": "pgaudit, pg_stat_statements"})
FACTS: Mapping[str, tuple[Any, Any]] = {
    "rows-server.libraries": (SERVER, libraries),
    "keyring-server.libraries": (SERVER, libraries),
    "rows-server.wal": (SERVER, replace(SERVER, slots=1)),
    "keyring-server.apart": (SERVER, replace(SERVER, other=1)),
    **{
        f"due.{name}": due(name)
        for name in ("accounts", "voicemail", "sessions", "sign-ups", "exports", "requests")
    },
    **{f"clocks.{name}": clock(name) for name in ("database", "keyring", "aws", "carrier")},
    "objects.no-lock": (BUCKET, replace(BUCKET, lock={"ObjectLockEnabled": "Enabled"})),
    "ledger.versioned": (BUCKET, replace(BUCKET, versioning="Suspended")),
    "ledger.encrypted": (BUCKET, replace(BUCKET, algorithm="")),
    "ledger.kept": (BUCKET, replace(BUCKET, rules=[{"Status": "Enabled"}])),
    "twilio.not-recorded": (recorded(NOW), recorded(NOW, "DialVerb")),
    "twilio.recordings": (recorded(YOUNG), recorded(OLD)),
    "twilio.messages": (TWILIO, replace(TWILIO, messages=1)),
    "twilio.calls": (TWILIO, replace(TWILIO, calls=1)),
    "sentry.scrubbed": (REPORTED, Reported("canary", "")),
    "sentry.tells": (REPORTED, Reported("{}", "")),
}
"""By the name of a check: facts of which it finds nothing, and facts of which it finds something."""


@pytest.mark.parametrize("name", FACTS)
def test_a_check_holds_of_what_is_right_and_finds_what_is_wrong(name: str) -> None:
    right, wrong = FACTS[name]
    assert CHECKS[name].wrong(right) is None
    assert CHECKS[name].wrong(wrong)


@pytest.mark.parametrize("name", ["aws", "carrier"])
def test_who_told_no_time_is_not_said_to_be_in_step(name: str) -> None:
    with pytest.raises(CannotTell):
        CHECKS[f"clocks.{name}"].wrong(Clocks({name: None}))


def test_every_check_is_broken_by_something() -> None:
    assert {*AT_AWS, *HERE, *FACTS} == set(CHECKS)
    assert not FACTS.keys() & {*AT_AWS, *HERE}, "a posture shows it already"
