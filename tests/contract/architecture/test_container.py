"""The wiring: every use case is given what it asks for, and one of them can be exchanged."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, get_type_hints

import pytest
from dependency_injector.errors import Error
from dependency_injector.providers import Dependency, Singleton

from application.account_deletion import PreviewDeletion
from application.erasure_steps import ERASURE_STEPS
from application.jobs import JOBS
from application.retention import PURGES
from application.use_cases import UseCases
from bootstrap.container import Container, wire
from bootstrap.outside import Outside
from bootstrap.worlds import InMemory

PORTS = get_type_hints(Outside)
USE_CASES = get_type_hints(UseCases)
PROVIDERS: dict[str, Any] = {**Container.providers}


MADE = {name: of for name, of in PROVIDERS.items() if isinstance(of, Singleton)}
TYPES = PORTS | {name: of.cls for name, of in MADE.items()}


def test_the_container_declares_the_outside_and_every_use_case() -> None:
    assert {name for name, of in PROVIDERS.items() if isinstance(of, Dependency)} == set(PORTS)
    assert set(USE_CASES) - {"job_handlers"} <= set(MADE) | set(PORTS)


def test_every_job_step_and_purge_is_made() -> None:
    made = {of.cls for of in MADE.values()}
    assert made >= {job.use_case for job in JOBS} | set(ERASURE_STEPS) | set(PURGES)


@pytest.mark.parametrize("name", MADE)
def test_what_is_made_is_given_what_its_fields_ask_for(name: str) -> None:
    """dependency-injector would hand over anything: neither it nor mypy compares the types."""
    of = {id(each): given for given, each in PROVIDERS.items()}
    tables = {"steps", "purges"}
    given = {
        argument: TYPES[of[id(each)]]
        for argument, each in MADE[name].kwargs.items()
        if argument not in tables
    }
    hints = get_type_hints(MADE[name].cls)
    assert given == {
        field.name: hints[field.name]
        for field in fields(MADE[name].cls)
        if field.init and field.name not in tables
    }


def test_what_depends_on_an_exchanged_use_case_is_given_the_other_one() -> None:
    class Other(PreviewDeletion):
        pass

    world = InMemory()
    world.wire({"preview_deletion": Other})
    assert type(world.use_cases.preview_deletion) is Other
    assert world.use_cases.delete_account.preview_deletion is world.use_cases.preview_deletion
    assert type(InMemory().use_cases.preview_deletion) is PreviewDeletion


def test_an_exchange_of_nothing_is_refused() -> None:
    with pytest.raises(AttributeError, match="preview_deletoin"):
        InMemory().wire({"preview_deletoin": PreviewDeletion})


def test_a_part_exchanged_in_the_world_reaches_the_use_cases_at_the_next_wiring() -> None:
    world = InMemory()
    world.mail = other = type(world.mail)()
    world.wire()
    assert getattr(world.use_cases.job_handlers["mail_recovered"], "mail", None) is other


def test_nothing_may_be_missing_outside() -> None:
    container = Container()
    with pytest.raises(Error, match="store"):
        container.check_dependencies()


def test_two_wirings_share_nothing_but_what_is_outside() -> None:
    world = InMemory()
    outside = world.outside()
    one, other = wire(outside), wire(replace(outside))
    assert one.sign_up is not other.sign_up
    assert one.sign_up.store is other.sign_up.store is world.store
