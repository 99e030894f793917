"""A line of the log is made of listed fields of listed shapes, whatever somebody hands to the logger."""

from __future__ import annotations

import ast
import asyncio
import gc
import io
import json
import logging
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from adapters.error_report import report
from adapters.inbound.http.app import build
from adapters.inbound.http.request_id import ROUTE
from adapters.inbound.http.request_log import log_request
from adapters.inbound.http.routes import ROUTES, SANDBOX_ROUTES
from application.retention import SweepResult
from bootstrap import event_loop, program
from bootstrap.logs import FIELDS, configure_logs, report_what_python_would_print
from bootstrap.worlds import InMemory
from bootstrap.worlds.edge import always, calling
from domain.audit_chain import Flaw
from domain.data_requests import ALARM_AFTER, LATE, URGENT, DataRequestKind

ROOT = Path(__file__).parents[2]
CANARY = "c4n4ry-7f3e"
PERSONAL = [
    "+12025550143", "12025550143", 12025550143, 2025550143, "ada@example.org", "Ada Lovelace", "Hello, how are you?",
    "/v1/lines/0192d8e0-1f6e-7c3a-9d51-2f6f6b0f3a10", "/v1/blocked-numbers/+12025550143", "https://example.org/a?b=c",
    "203.0.113.7", "2001:db8::1", "Bearer abcdef", {"body": "Hello"}, ["Hello there"], b"Hello", ValueError("Hello"),
]  # fmt: skip
LEVELS = {"debug", "info", "warning", "error", "critical"}


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    told = io.StringIO()
    configure_logs(told)
    route = ROUTE.set("")
    yield told
    ROUTE.reset(route)
    structlog.reset_defaults()
    logging.disable(logging.NOTSET)


def said(lines: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def test_a_report_is_one_line_of_json_with_the_routes_template(lines: io.StringIO) -> None:
    ROUTE.set("/v1/lines/{line_id}/messages")
    report(ValueError(CANARY), "job failed", job="send_message", attempt=3)
    (line,) = said(lines)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "level": "error", "event": "job failed", "error": "ValueError", "where": "unknown", "job": "send_message",
        "attempt": 3, "route": "/v1/lines/{line_id}/messages",
    }  # fmt: skip


@pytest.mark.parametrize("value", PERSONAL, ids=repr)
def test_nothing_personal_fits_into_any_field(value: object, lines: io.StringIO) -> None:
    for field in FIELDS.keys() - {"event", "timestamp", "level"}:
        structlog.get_logger().error("told", **{field: value})
    structlog.get_logger().error("told", to=value, body=value)
    structlog.get_logger().error(value)
    for line in said(lines):
        assert line.keys() <= {"timestamp", "level", "event", "withheld"}
        assert line["event"] in {"told", "unnamed"}
        assert line["withheld"] > 0


def test_every_routes_template_fits() -> None:
    templates = [str(route.template) for route in (*ROUTES, *SANDBOX_ROUTES)]
    assert [template for template in templates if not FIELDS["route"](template)] == []


def test_a_traceback_cannot_be_asked_for(lines: io.StringIO) -> None:
    try:
        fails()
    except ValueError:
        structlog.get_logger().exception("told")
        structlog.get_logger().error("told", exc_info=True, stack_info=True)
    assert CANARY not in lines.getvalue()


def test_a_line_cannot_be_made_two(lines: io.StringIO) -> None:
    forged = 'told\n{"event":"restore replayed","erased":0}'
    structlog.get_logger().error(forged, error=forged, route=f"/v1/{forged}", job=forged, body=forged)
    (line,) = said(lines)
    assert line.keys() == {"timestamp", "level", "event", "withheld"}


def test_a_key_is_withheld_as_well_as_its_value(lines: io.StringIO) -> None:
    structlog.get_logger().error("told", failed={"ada@example.org": 1}, **{CANARY: 1, "+12025550143": 2})
    assert said(lines)[0]["withheld"] == 3
    assert CANARY not in lines.getvalue()


@pytest.mark.parametrize(
    "code", [URGENT, LATE, *(flaw.code for flaw in Flaw), "carrier_unavailable", "ValueError"]
)
def test_what_a_sweep_found_out_is_told_by_its_name(lines: io.StringIO, code: str) -> None:
    structlog.get_logger().error("sweep failed", failed={code: 2})
    (line,) = said(lines)
    assert line["failed"] == {code: 2}


def test_a_letter_that_waits_is_told_of_by_the_sweep(lines: io.StringIO) -> None:
    async def wait() -> SweepResult:
        world = InMemory()
        await world.use_cases.open_data_request(DataRequestKind.ACCESS, None, None)
        return await world.advance(ALARM_AFTER)

    structlog.get_logger().error("sweep failed", failed=dict(asyncio.run(wait()).failed))
    assert said(lines)[-1]["failed"] == {URGENT: 1}


def test_a_name_that_is_no_errors_is_not_taken_for_one(lines: io.StringIO) -> None:
    structlog.get_logger().error("told", error="Ada")
    assert "Ada" not in lines.getvalue()


def test_records_of_libraries_go_nowhere(lines: io.StringIO, capfd: pytest.CaptureFixture[str]) -> None:
    for name in (
        "aiohttp.server",
        "asyncio",
        "asyncpg",
        "botocore",
        "urllib3",
        "sentry_sdk.errors",
        "sqlalchemy",
    ):
        logging.getLogger(name).critical("said %s", CANARY)
    assert CANARY not in lines.getvalue() + "".join(capfd.readouterr())


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Yield every call of a logger, and of `report`, in the product."""
    for package in ("adapters", "application", "bootstrap", "domain"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    match node.func:
                        case ast.Attribute(value=ast.Name(id="log"), attr=attr) if attr in LEVELS | {
                            "exception"
                        }:
                            yield f"{path.relative_to(ROOT)}:{node.lineno}", node
                        case ast.Name(id="report"):
                            yield f"{path.relative_to(ROOT)}:{node.lineno}", node


CALLS = dict(calls())


@pytest.mark.parametrize("place", CALLS)
def test_our_own_code_names_events_in_constant_words_and_fields_that_are_listed(place: str) -> None:
    call = CALLS[place]
    told = call.args[1:] if isinstance(call.func, ast.Name) else call.args
    where = place.partition(":")[0]
    for event in told if where != "adapters/error_report.py" else ():
        assert isinstance(event, ast.Constant), "an event put together at run time"
        assert FIELDS["event"](event.value), f"{event.value!r} would be withheld"
    fields = {keyword.arg for keyword in call.keywords} - {None}
    assert fields <= FIELDS.keys(), "a field that is not listed would be withheld"
    assert not (isinstance(call.func, ast.Attribute) and call.func.attr == "exception"), "a traceback quotes"


@pytest.fixture
def hooked(lines: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    for of, name in (
        (sys, "excepthook"),
        (sys, "unraisablehook"),
        (threading, "excepthook"),
        (warnings, "showwarning"),
    ):
        monkeypatch.setattr(of, name, getattr(of, name))
    report_what_python_would_print()
    return lines


def fails() -> None:
    raise ValueError(CANARY)


def test_an_error_that_nobody_catches_is_a_type_and_a_place(
    hooked: io.StringIO, capfd: pytest.CaptureFixture[str]
) -> None:
    try:
        fails()
    except ValueError as error:
        sys.excepthook(ValueError, error, error.__traceback__)
    thread = threading.Thread(target=fails)
    thread.start()
    thread.join()

    class Dying:
        def __del__(self) -> None:
            fails()

    Dying()
    gc.collect()
    assert [line["event"] for line in said(hooked)] == ["uncaught"] * 3
    assert {line["error"] for line in said(hooked)} == {"ValueError"}
    assert CANARY not in hooked.getvalue() + "".join(capfd.readouterr())


def test_a_warning_is_a_type_and_a_place(hooked: io.StringIO, capfd: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        report_what_python_would_print()  # `catch_warnings` put back what shows them
        warnings.warn(f"[input_value='{CANARY}']", UserWarning, stacklevel=1)
    (line,) = said(hooked)
    assert (line["event"], line["error"]) == ("python warns", "UserWarning")
    assert line["where"].startswith("test_logs:module:")
    assert CANARY not in hooked.getvalue() + "".join(capfd.readouterr())


def test_a_task_that_ends_unseen_is_reported(lines: io.StringIO) -> None:
    async def fails_alone(_argument: str) -> None:
        raise ValueError(CANARY)

    async def main() -> None:
        task = asyncio.create_task(fails_alone(CANARY), name=CANARY)
        await asyncio.sleep(0)
        del task
        gc.collect()
        asyncio.get_running_loop().call_soon(fails)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    event_loop.run(main())
    assert [line["event"] for line in said(lines)] == ["unseen"] * 2
    assert CANARY not in lines.getvalue()


def test_a_command_that_fails_as_nobody_foresaw_prints_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], hooked: io.StringIO
) -> None:
    def app(prog_name: str) -> None:
        secret = CANARY
        raise KeyError(secret)

    monkeypatch.setattr(program, "app", app)
    monkeypatch.setattr(program, "keep_private", lambda: None)
    with pytest.raises(SystemExit) as ended:
        program.main()
    assert ended.value.code == 70
    told = capfd.readouterr()
    assert CANARY not in told.out + told.err
    assert json.loads(told.err)["error"] == "KeyError"


async def test_a_request_is_a_line_only_where_somebody_wants_it_and_holds_no_path(lines: io.StringIO) -> None:
    world = InMemory()
    for watch, expected in ((None, 0), (log_request, 3)):
        app = build(world.use_cases, ready=always, watch=watch)
        async with calling(app) as client:
            await client.ask(
                "GET", f"/v1/lines/0192d8e0-1f6e-7c3a-9d51-2f6f6b0f3a10?q={CANARY}", token=CANARY
            )
            await client.ask("GET", f"/{CANARY}?{CANARY}")
            await client.ask("GET", "/healthz")
        assert len(said(lines)) == expected
    signed_out, nowhere, healthy = said(lines)
    assert (signed_out["method"], signed_out["route"], signed_out["status"]) == (
        "GET",
        "/v1/lines/{line_id}",
        401,
    )
    assert nowhere["status"] == 404
    assert "route" not in nowhere
    assert healthy["status"] == 200
    assert CANARY not in lines.getvalue()
    assert "0192d8e0" not in lines.getvalue()


@pytest.mark.parametrize("level", ["info", "debug"])
def test_a_library_that_prints_past_every_logger_is_told_nothing_by_a_variable(level: str) -> None:
    said = f"from stripe._util import log_debug, log_info; log_info({CANARY!r}); log_debug({CANARY!r})"
    for quiet in (True, False):
        begin = "from bootstrap.logs import configure_logs; configure_logs(); " if quiet else ""
        done = subprocess.run(
            [sys.executable, "-c", begin + said], cwd=ROOT, env={**os.environ, "STRIPE_LOG": level}, text=True,
            capture_output=True, check=True, timeout=60,
        )  # fmt: skip
        assert (CANARY in done.stdout + done.stderr) is not quiet


def test_importing_the_program_imports_no_such_library_before_logs_are_configured() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys, bootstrap.program; print('stripe' in sys.modules)"], cwd=ROOT, text=True,
        capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout == "False\n"
