"""The doctor, before everything as it should be and before each thing as it should not."""

from __future__ import annotations

import json

import pytest
from pydantic import SecretStr

from adapters.inbound.cli.doctor_report import Outcome, exit_code
from bootstrap.doctor.parts import PARTS
from bootstrap.policy import POLICY, parse
from tests.contract.doctor import postures_aws, postures_here
from tests.contract.doctor.breaking import answered, both, done
from tests.contract.doctor.conftest import Standing
from tests.support.iam import Recorded
from tests.support.stacks import NAME
from tests.support.templates import FOLDER

POSTURES = postures_aws.POSTURES | postures_here.POSTURES
CHECKS = [f"{part.name}.{check.name}" for part in PARTS for check in part.checks]


async def test_what_the_templates_make_keeps_the_policy(standing: Standing) -> None:
    found = await standing.examined()
    assert [(each.name, each.says) for each in found if each.outcome is not Outcome.KEPT] == []
    assert exit_code(found) == 0


@pytest.mark.parametrize("check", POSTURES)
async def test_what_is_broken_is_found_by_name_and_nothing_else(standing: Standing, check: str) -> None:
    async with POSTURES[check](standing):
        found = await standing.examined()
    assert [each.name for each in found if each.outcome is not Outcome.KEPT] == [check]
    assert exit_code(found) == 1


def test_postures_are_of_checks_that_there_are() -> None:
    assert POSTURES.keys() <= set(CHECKS)
    assert len(CHECKS) == len(set(CHECKS))


def test_every_check_speaks_for_clauses_that_there_are() -> None:
    known = {clause.id for clause in parse(POLICY.read_text(encoding="utf-8"))}
    for part in PARTS:
        for check in part.checks:
            assert check.clauses, check.name
            assert set(check.clauses) <= known, check.name


async def test_it_makes_only_the_calls_that_its_policy_lists(standing: Standing) -> None:
    recorded = Recorded()
    standing.cloud.client("rds").create_db_snapshot(
        DBSnapshotIdentifier="for-a-look", DBInstanceIdentifier=f"{NAME}-rows"
    )
    with recorded.listening():
        await standing.examined()
    standing.cloud.client("rds").delete_db_snapshot(DBSnapshotIdentifier="for-a-look")
    allowed = {
        action
        for statement in json.loads((FOLDER / "doctor-policy.json").read_text())["Statement"]
        for action in statement["Action"]
    }
    assert {action for action, _ in recorded.needed} == allowed
    assert not [
        each for each in allowed if not each.partition(":")[2].startswith(("Describe", "Get", "List"))
    ]


async def test_answers_of_another_shape_are_said_and_hold_up_nothing_else(standing: Standing) -> None:
    odd = both(
        answered(
            "rds",
            "DescribeDBInstances",
            lambda said: said["DBInstances"][0].pop("DBParameterGroups"),
            DBInstanceIdentifier=f"{NAME}-rows",
        ),
        done(lambda standing: standing.portal["features"].pop("subscription_cancel")),
    )
    async with odd(standing):
        found = await standing.examined()
    unknown = {each.name for each in found if each.outcome is not Outcome.KEPT}
    assert {name for name in unknown if not name.startswith("rows.")} == {"stripe.portal"}
    assert {name for name in CHECKS if name.startswith("rows.")} <= unknown
    assert exit_code(found) == 2


async def test_what_cannot_be_read_is_said_and_holds_up_nothing_else(standing: Standing) -> None:
    gone = standing.databases.rows.replace("/doctor", "/not_there")
    standing.but(database_url=SecretStr(gone))
    found = await standing.examined()
    unknown = {each.name for each in found if each.outcome is Outcome.UNKNOWN}
    parts = {name.partition(".")[0] for name in unknown}
    assert parts == {"rows-server", "keyring-server", "due", "gate", "clocks"}
    assert exit_code(found) == 2
    assert not [each.says for each in found if "not_there" in each.says or "pico_app" in each.says]
