"""Laws of retention: never early, late by nothing, the same answer however it is asked."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bootstrap.policy import parse
from bootstrap.settings import ROOT
from domain.accounts import Account, AccountState, NotPendingDeletion
from domain.documents import Documents
from domain.exports import AGAIN_FOR, Export, ExportNotReady, ExportState
from domain.kernel import AccountId, CarrierRef, ExportId, LineId
from domain.lines import LineNotActive, PhoneLine
from domain.retention import Retention, RetentionRule, due, unused_after
from domain.values import Capability, Country, Email, Label, Locale, PasswordHash, PhoneNumber

laws = settings(max_examples=40, deadline=None)
instants = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
periods = st.timedeltas(timedelta(), timedelta(days=400))
INSTANT = timedelta(microseconds=1)


@laws
@given(since=instants, keep=periods, ago=periods)
def test_never_early(since: datetime, keep: timedelta, ago: timedelta) -> None:
    assert not due(since, keep, since + keep - INSTANT - ago)


@laws
@given(since=instants, keep=periods, later=periods)
def test_late_by_nothing_and_due_for_ever_after(since: datetime, keep: timedelta, later: timedelta) -> None:
    assert due(since, keep, since + keep)
    assert due(since, keep, since + keep + later)


@laws
@given(since=instants, keep=periods, longer=periods, now=instants)
def test_what_is_kept_longer_is_never_due_sooner(
    since: datetime, keep: timedelta, longer: timedelta, now: datetime
) -> None:
    assert due(since, keep, now) or not due(since, keep + longer, now)


@laws
@given(since=instants, earlier=periods, keep=periods, now=instants)
def test_what_began_earlier_is_never_due_later(
    since: datetime, earlier: timedelta, keep: timedelta, now: datetime
) -> None:
    assert due(since - earlier, keep, now) or not due(since, keep, now)


@laws
@given(keep=periods, now=instants, off=st.sampled_from([-INSTANT, timedelta(), INSTANT]) | periods)
def test_a_sweep_by_cutoff_finds_just_what_is_due(keep: timedelta, now: datetime, off: timedelta) -> None:
    rule = RetentionRule("T0", keep, "things")
    since = rule.cutoff(now) + off
    assert rule.due(since, now) == due(since, keep, now) == (since <= rule.cutoff(now))
    assert rule.due(since, now) == (now >= rule.ends(since))


def account(at: datetime) -> Account:
    made = Account.sign_up(
        AccountId(UUID(int=1)), email=Email("noa@example.com"), password=PasswordHash("x"),
        display_name=Label("Noa"), locale=Locale("en"), at=at, documents=Documents(),
    )  # fmt: skip
    made.verify(at)
    return made


@laws
@given(left=instants, waited=periods, keep=periods)
def test_at_every_instant_an_account_that_left_is_either_recoverable_or_due(
    left: datetime, waited: timedelta, keep: timedelta
) -> None:
    leaving, now = account(left), left + waited
    leaving.request_deletion(left, left + keep)
    assert leaving.erase_at is not None
    if due(left, keep, now):
        assert leaving.erase_at <= now
        with pytest.raises(NotPendingDeletion):
            leaving.recover(now)
    else:
        assert leaving.erase_at > now
        leaving.recover(now)
        assert leaving.state is AccountState.ACTIVE


@laws
@given(left=instants, keep=periods, again=st.lists(periods, max_size=4))
def test_leaving_again_moves_nothing(left: datetime, keep: timedelta, again: list[timedelta]) -> None:
    leaving = account(left)
    leaving.request_deletion(left, left + keep)
    leaving.collect()
    for later in again:
        leaving.request_deletion(left + later, left + later + keep)
    assert leaving.erase_at == left + keep
    assert leaving.collect() == []


@laws
@given(ready=instants, waited=periods, keep=periods)
def test_at_every_instant_an_export_is_either_there_or_expired(
    ready: datetime, waited: timedelta, keep: timedelta
) -> None:
    export = Export.request(AccountId(UUID(int=1)), ExportId(UUID(int=2)), 0, ready, ready)
    export.ready(ready, ready + keep)
    if due(ready, keep, ready + waited):
        with pytest.raises(ExportNotReady):
            export.download(ready + waited)
    else:
        export.download(ready + waited)
        assert export.state is ExportState.DOWNLOADED
        assert export.expires_at == min(ready + keep, ready + waited + AGAIN_FOR)
        again = export.expires_at
        export.download(again - timedelta(microseconds=1))
        assert export.expires_at == again, "repeating prolongs nothing"
        with pytest.raises(ExportNotReady):
            export.download(again)


@laws
@given(given_up=instants, waited=periods, keep=periods)
def test_at_every_instant_a_number_given_up_either_can_be_taken_back_or_goes_back(
    given_up: datetime, waited: timedelta, keep: timedelta
) -> None:
    line = PhoneLine.order(
        AccountId(UUID(int=1)), LineId(UUID(int=2)), number=PhoneNumber("+12025550143"), country=Country("US"),
        label=None, at=given_up,
    )  # fmt: skip
    line.activate(CarrierRef("PN1"), frozenset({Capability.SMS}), given_up)
    line.release(given_up, given_up + keep)
    goes_back = line.begin_release(given_up + waited)
    assert goes_back is due(given_up, keep, given_up + waited)
    if goes_back:
        with pytest.raises(LineNotActive):
            line.cancel_release(given_up + waited)
    else:
        line.cancel_release(given_up + waited)
        assert line.accepts_messages
        assert not line.begin_release(given_up + keep), "taken back, and gone all the same"


def test_the_policys_periods() -> None:
    unset: dict[str, RetentionRule | None] = {f.name: getattr(Retention(), f.name) for f in fields(Retention)}
    rules = {name: rule for name, rule in unset.items() if rule is not None}
    assert unset.keys() - rules.keys() == {"unused_account"}
    assert {name: rule.keep / timedelta(days=1) for name, rule in rules.items()} == {
        "soft_deleted": 30, "unverified": 1, "idle_session": 30, "session": 180, "ended_session": 90,
        "export": 1, "idempotency": 1, "released_number": 7, "voicemail_audio": 90, "live_event": 1,
        "backup": 30, "keyring_backup": 7, "closed_data_request": 730, "webhook_delivery": 7,
    }  # fmt: skip


def test_each_rule_names_the_clause_that_promises_it() -> None:
    clauses = {clause.id for clause in parse((ROOT / "PRIVACY.md").read_text(encoding="utf-8"))}
    periods = replace(Retention(), unused_account=unused_after(timedelta(days=365)))
    for field in fields(Retention):
        assert getattr(periods, field.name).clause in clauses
