"""Reports as they reach Sentry: what each says, and that nothing else leaves however the client is talked to."""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import sentry_sdk
from pydantic import ValidationError
from sentry_sdk.attachments import Attachment
from sentry_sdk.envelope import Envelope, Item, PayloadRef
from sentry_sdk.session import Session
from structlog.testing import capture_logs

from adapters.error_report import also_telling, report
from adapters.outbound.sentry.allowed import rebuilt
from adapters.outbound.sentry.reports import SentryReports, chained, sentry
from adapters.outbound.sentry.simulator import SentrySimulator
from bootstrap.settings import ProductionSettings, Settings, read_settings
from bootstrap.worlds.production import told_to_sentry
from domain.values import PhoneNumber
from tests.contract.e2e.test_production import VARIABLES

CANARY = "c4n4ry" + secrets.token_hex(8)


@pytest.fixture
async def simulator() -> SentrySimulator:
    return SentrySimulator()


@pytest.fixture
async def reports(simulator: SentrySimulator) -> AsyncIterator[SentryReports]:
    async with (
        simulator.running() as dsn,
        sentry(dsn, release="0.1.0", environment="production") as made,
    ):
        yield made


async def sent(reports: SentryReports) -> None:
    await asyncio.to_thread(reports.flush, 30.0)


def risen() -> Exception:
    """Return an error that rose here from another one."""
    number = PhoneNumber("+12025550143")
    try:
        try:
            json.loads(CANARY)
        except ValueError as error:
            raise RuntimeError(CANARY, number) from error
    except RuntimeError as error:
        return error
    return Exception()


async def test_a_report_says_what_rose_where_of_which_release(
    reports: SentryReports, simulator: SentrySimulator
) -> None:
    with also_telling(reports), capture_logs():
        report(risen())
    await sent(reports)
    (event,) = simulator.events
    assert {name: event[name] for name in ("level", "platform", "release", "environment")} == {
        "level": "error", "platform": "python", "release": "pico@0.1.0", "environment": "production",
    }  # fmt: skip
    first, last = event["exception"]["values"]
    assert (first["type"], first["module"]) == ("JSONDecodeError", "json.decoder")
    assert (last["type"], last["module"]) == ("RuntimeError", "builtins")
    assert next(frame["function"] for frame in first["stacktrace"]["frames"]) == "risen"
    assert {name for error in (first, last) for name in error} == {"type", "module", "stacktrace"}
    assert {name for frame in first["stacktrace"]["frames"] for name in frame} == {
        "module", "function", "lineno", "in_app",
    }  # fmt: skip
    assert CANARY.encode() not in b"".join(simulator.requests)


async def test_sentry_away_stops_nothing_and_is_not_told_of(simulator: SentrySimulator) -> None:
    simulator.outage = True
    async with simulator.running() as dsn:
        gone = dsn.replace("127.0.0.1", "127.0.0.2")
        for where in (dsn, gone):
            async with sentry(where, release="0.1.0", environment="production") as reports:
                with also_telling(reports), capture_logs() as events:
                    for _ in range(500):  # more than its queue takes
                        report(ValueError(CANARY))
                assert {event["event"] for event in events} == {"unexpected"}


async def test_a_listener_that_fails_is_told_of_once_and_without_its_words() -> None:
    def broken(error: BaseException) -> None:
        raise TypeError(CANARY)

    with also_telling(broken), capture_logs() as events:
        report(ValueError(CANARY))
    assert [(event["event"], event["error"]) for event in events] == [
        ("unexpected", "ValueError"), ("report not sent", "TypeError"),
    ]  # fmt: skip
    assert CANARY not in repr(events)


def a_transaction(client: Any) -> None:
    client.capture_event({"type": "transaction", "transaction": CANARY, "spans": [{"description": CANARY}]})


def a_check_in(client: Any) -> None:
    client.capture_event({"type": "check_in", "monitor_slug": CANARY})


def a_message(client: Any) -> None:
    client.capture_event({"message": CANARY, "logentry": {"message": CANARY, "params": [CANARY]}})


def an_attachment(client: Any) -> None:
    hint = {"attachments": [Attachment(bytes=CANARY.encode(), filename=CANARY)]}
    client.capture_event({"level": "error"}, hint)


def a_scope(client: Any) -> None:
    scope = sentry_sdk.Scope()
    scope.set_user({"email": CANARY})
    scope.set_tag(CANARY, CANARY)
    scope.set_extra("said", CANARY)
    scope.set_context("about", {"said": CANARY})
    scope.set_transaction_name(CANARY)
    scope.add_attachment(bytes=CANARY.encode(), filename=CANARY)
    scope.add_breadcrumb(message=CANARY)
    client.capture_event({"level": "error"}, scope=scope)


def a_log(client: Any) -> None:
    client._capture_log(
        {"severity_text": "info", "severity_number": 9, "body": CANARY, "attributes": {}, "time_unix_nano": 1,
         "trace_id": None, "span_id": None}, sentry_sdk.Scope()
    )  # fmt: skip
    client.log_batcher.flush()


def a_session(client: Any) -> None:
    client.capture_session(Session(release=CANARY, user={"id": CANARY}))
    client.session_flusher.flush()


def an_envelope(client: Any) -> None:
    made = Envelope(headers={"trace": {"user_id": CANARY}, "event_id": CANARY})
    made.add_item(Item(PayloadRef(json={"said": CANARY}), type="event", headers={"filename": CANARY}))
    for kind in (
        "feedback",
        "attachment",
        "profile_chunk",
        "replay_event",
        "span",
        "log",
        "trace_metric",
        "statsd",
    ):
        made.add_item(Item(PayloadRef(json={"said": CANARY}), type=kind))
    client.transport.capture_envelope(made)


@pytest.mark.parametrize(
    "hand_over", [a_transaction, a_check_in, a_message, an_attachment, a_scope, a_log, a_session, an_envelope]
)
async def test_whatever_the_client_is_handed_only_rebuilt_events_leave(
    hand_over: Callable[[Any], None], reports: SentryReports, simulator: SentrySimulator
) -> None:
    hand_over(reports._client)
    reports(ValueError())
    await sent(reports)
    assert simulator.events, "the client is stuck"
    assert {kind for kind, _ in simulator.items} == {"event"}
    assert CANARY.encode() not in b"".join(simulator.requests)


HOSTILE: dict[str, Any] = {
    CANARY: {CANARY: CANARY},
    "tags": {CANARY: "a key is as good as a value"},
    "event_id": CANARY,
    "timestamp": f"2026-11-29T00:00:00Z {CANARY}",
    "level": CANARY,
    "release": f"pico@{CANARY}@example.org",
    "environment": "+12025550143",
    "server_name": CANARY,
    "user": {"ip_address": CANARY},
    "request": {"url": CANARY, "headers": {"Authorization": CANARY}, "data": CANARY},
    "breadcrumbs": {"values": [{"message": CANARY}]},
    "exception": {
        "values": [
            "an error", {"type": f"Telling {CANARY}", "module": f"{CANARY}@example.org", "value": CANARY},
            {"type": "ValueError", "mechanism": {"data": CANARY}, "stacktrace": {"frames": [
                {"function": f"f({CANARY!r})", "module": "+12025550143", "lineno": 12025550143, "vars": {"a": CANARY},
                 "context_line": CANARY, "filename": CANARY, "abs_path": CANARY}, None]}},
            {"type": "KeyError", "stacktrace": CANARY}, {"type": "OSError", "stacktrace": {"frames": CANARY}},
        ]
    },
}  # fmt: skip


@pytest.mark.parametrize(
    "event", [HOSTILE, {}, {"exception": CANARY}, {"exception": {"values": {"a": CANARY}}}]
)
def test_what_does_not_have_the_shape_that_it_should_is_left_out(event: dict[str, Any]) -> None:
    made = repr(rebuilt(event))
    assert CANARY not in made
    assert "2025550143" not in made


def test_errors_that_rise_from_each_other_in_a_ring_end() -> None:
    one, other = ValueError(), KeyError()
    one.__cause__, other.__cause__ = other, one
    assert list(chained(one)) == [one, other]


async def test_variables_of_sentrys_own_switch_nothing_on(
    simulator: SentrySimulator, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    other = SentrySimulator()
    async with simulator.running() as dsn, other.running() as elsewhere:
        for name in ("SENTRY_DSN", "SENTRY_SPOTLIGHT"):
            monkeypatch.setenv(name, elsewhere)
        monkeypatch.setenv("SENTRY_DEBUG", "1")
        monkeypatch.setenv("SENTRY_RELEASE", CANARY)
        monkeypatch.setenv("SENTRY_ENVIRONMENT", CANARY)
        async with sentry(dsn, release="0.1.0", environment="production") as reports:
            reports(risen())
        assert simulator.events
        assert other.requests == []
        assert CANARY.encode() not in b"".join(simulator.requests)
    assert "".join(capfd.readouterr()) == ""


async def test_sentry_is_told_only_where_a_dsn_is_set_and_only_in_production(
    simulator: SentrySimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    async with simulator.running() as dsn:
        monkeypatch.setenv("SENTRY_DSN", dsn)
        async with told_to_sentry(read_settings(ProductionSettings)):
            with capture_logs():
                report(risen())
        assert simulator.requests == []
        monkeypatch.setenv("PICO_SENTRY_DSN", dsn)
        assert not hasattr(read_settings(Settings), "sentry_dsn")
        async with told_to_sentry(read_settings(ProductionSettings)):
            with capture_logs():
                report(risen())
        assert len(simulator.events) == 1
        with capture_logs():
            report(risen())
        assert len(simulator.events) == 1


async def test_the_command_line_and_the_machines_name_stay_here(
    simulator: SentrySimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["pico", "erase", CANARY])
    monkeypatch.setattr(socket, "gethostname", lambda: CANARY)
    monkeypatch.setenv("HOME", f"/home/{CANARY}")
    async with simulator.running() as dsn, sentry(dsn, release="0.1.0", environment="production") as reports:
        reports(risen())
    assert simulator.events
    assert CANARY.encode() not in b"".join(simulator.requests)


@pytest.mark.parametrize(
    "dsn", ["", "sentry.io", "https://sentry.io/1", "https://a:b@sentry.io/1", "https://a@b/c?d"]
)
def test_what_is_no_dsn_is_refused_and_not_quoted(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError) as refused:
        ProductionSettings(sentry_dsn=dsn)  # type: ignore[arg-type]
    assert "sentry_dsn" in str(refused.value)
    assert not dsn or dsn not in str(refused.value)
