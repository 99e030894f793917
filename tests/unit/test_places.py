"""How a worker's places are shared out among providers, and that each kind of job says whom it asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Any, get_args, get_type_hints
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.outbound.postgres.places import OF_ONE, PLACES, DueJob, Places
from application.job_type import JobType, Provider
from application.jobs import JOB_TYPES, JOBS
from application.ports.jobs import ERASURE_JOB
from application.ports.mail import Mail
from application.ports.message_carrier import MessageCarrier
from application.ports.numbers import NumberProvider
from application.ports.objects import Objects
from application.ports.payments import Payments
from application.ports.push import Push
from application.ports.recordings import Recordings
from application.ports.store_purchases import StorePurchases
from application.ports.transcriber import Transcriber
from application.ports.voice_carrier import VoiceCarrier
from application.ports.webhook_receivers import WebhookReceivers

ASKED = {"send": Provider.CARRIER, "follow": Provider.CARRIER, "wake": Provider.PUSH}
NAMES = [*ASKED, "index", "erase"]
SHARED = Places(ASKED, NAMES, of_one=3, at_once={"erase": 2, "wake": 1})

jobs = st.lists(st.sampled_from(NAMES), max_size=12)


def due(names: list[str]) -> list[DueJob]:
    return [DueJob(UUID(int=number), UUID(int=number), name) for number, name in enumerate(names)]


def asking(names: list[str]) -> Counter[Provider]:
    return Counter(ASKED[name] for name in names if name in ASKED)


@given(jobs, jobs)
def test_no_provider_or_kind_has_more_than_its_part_and_nothing_else_is_left_out(
    under_way: list[str], waiting: list[str]
) -> None:
    there = [job.name for job in SHARED.begun(due(under_way), [])]
    begun = SHARED.begun(due(waiting), there)
    after = asking([*there, *(job.name for job in begun)])
    of_kind = Counter([*there, *(job.name for job in begun)])
    assert all(number <= SHARED.of_one for number in after.values())
    assert all(of_kind[name] <= most for name, most in SHARED.at_once.items())
    for job in due(waiting):
        if job not in begun:
            provider = ASKED.get(job.name)
            full = provider is not None and after[provider] == SHARED.of_one
            assert full or of_kind[job.name] == SHARED.at_once.get(job.name), (
                "a job was left out that would have found a place"
            )


@given(jobs, jobs)
def test_what_begins_does_so_in_due_order_the_first_of_each_provider_first(
    under_way: list[str], waiting: list[str]
) -> None:
    begun = SHARED.begun(due(waiting), under_way)
    assert begun == [job for job in due(waiting) if job in begun]
    for provider in Provider:
        of_it = [job for job in due(waiting) if ASKED.get(job.name) is provider]
        chosen = [job for job in begun if ASKED.get(job.name) is provider]
        assert chosen == of_it[: len(chosen)]


@given(jobs)
def test_what_is_looked_for_is_what_could_begin(under_way: list[str]) -> None:
    there = [job.name for job in SHARED.begun(due(under_way), [])]
    open_to = SHARED.open_to(there)
    could = [name for name in NAMES if SHARED.begun(due([name]), there)]
    assert (NAMES if open_to is None else open_to) == could
    assert (open_to is None) == (could == NAMES)


@given(jobs)
def test_an_end_that_lets_another_begin_is_told(under_way: list[str]) -> None:
    there = [job.name for job in SHARED.begun(due(under_way), [])]
    for number, ended in enumerate(there):
        left = there[:number] + there[number + 1 :]
        more = SHARED.open_to(left) != SHARED.open_to(there)
        assert SHARED.made_room(there, ended) is more


def test_with_two_providers_that_hang_a_third_of_the_places_is_left() -> None:
    assert 3 * OF_ONE <= PLACES < 3 * (OF_ONE + 1)


# Whom each kind of job asks

BEHIND: dict[type, Provider] = {
    MessageCarrier: Provider.CARRIER, NumberProvider: Provider.CARRIER, VoiceCarrier: Provider.CARRIER,
    Recordings: Provider.CARRIER, Transcriber: Provider.CARRIER, Push: Provider.PUSH, Mail: Provider.MAIL,
    Payments: Provider.PAYMENTS, StorePurchases: Provider.PAYMENTS, Objects: Provider.OBJECTS,
    WebhookReceivers: Provider.RECEIVERS,
}  # fmt: skip
IN_TURN = {ERASURE_JOB}
"""Asks five of them, one after the other, and is never to wait for the places of one."""


def ports_of(kind: Any, seen: set[type]) -> Iterator[type]:
    """Yield the ports that a use case has, its own and those of what it is made of."""
    for part in (kind, *get_args(kind)):
        if isinstance(part, type) and part not in seen:
            seen.add(part)
            yield part
            if is_dataclass(part):
                for hint in get_type_hints(part).values():
                    yield from ports_of(hint, seen)


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.name)
def test_a_job_names_the_provider_that_its_use_case_asks(job: JobType) -> None:
    behind = {BEHIND[port] for port in ports_of(job.use_case, set()) if port in BEHIND}
    if job.name in IN_TURN:
        assert job.asks is None
    else:
        assert job.asks in behind or not (behind or job.asks)


def test_every_provider_is_asked_by_some_job() -> None:
    assert {job.asks for job in JOB_TYPES.values()} == {None, *Provider}
