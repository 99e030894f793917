"""Metrics: what is counted, by which words, and that the page goes on when what it tells of does not."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from pydantic import SecretStr
from structlog.testing import capture_logs

from adapters.inbound.http.app import build
from adapters.inbound.http.listening import CannotListen
from adapters.inbound.http.server import serving
from adapters.inbound.http_io import SAID_AT
from adapters.inbound.metrics import Exposition, Meters, exposition, watching
from adapters.inbound.metrics.process import PoolUse, ProcessGauges
from adapters.outbound.aws.calls import AwsCalls
from application.backlog import COPY_JOBS, Overview
from application.jobs import JOB_TYPES
from application.ports.jobs import Again, Dead, Done, Job, JobLease, LeasedJob, Outcome
from application.ports.store import StoreUnavailable
from application.retention import SweepResult
from bootstrap.metrics import by_host
from bootstrap.process import free_port
from bootstrap.settings import Settings
from bootstrap.worlds import InMemory
from bootstrap.worlds.edge import HttpClient, always, calling
from bootstrap.worlds.sandbox import Sandbox
from domain.kernel import AccountId, ErrorKind, PicoError
from tests.contract.conftest import Postgres
from tests.support.exposition import labels_of, samples, value

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.fixture
def meters() -> Meters:
    return Meters("0.1.0", lambda: NOW)


async def page(of: Exposition) -> str:
    async with calling(of) as admin:
        answer = await admin.ask("GET", "/metrics")
    assert answer.status == 200
    return answer.body.decode()


def shown(meters: Meters, read: Callable[[], object] | None = None) -> Exposition:
    world = InMemory()
    return Exposition(meters.registry, read or world.use_cases.read_backlog)  # type: ignore[arg-type]


@asynccontextmanager
async def watched(meters: Meters) -> AsyncIterator[HttpClient]:
    async with calling(build(InMemory().use_cases, ready=always, watch=meters.answered)) as client:
        yield client


async def test_answers_are_counted_by_template_and_status(meters: Meters) -> None:
    line = "/v1/lines/0192d8e0-1f6e-7c3a-9d51-2f6f6b0f3a10"
    async with watched(meters) as client:
        for method, path in (
            ("GET", line), ("DELETE", line), ("GET", "/+12025550143"), ("PUT", "/healthz"), ("GET", "/healthz"),
        ):  # fmt: skip
            await client.ask(method, path)
    said = await page(shown(meters))
    template = "/v1/lines/{line_id}"
    assert value(said, "pico_requests_total", method="GET", route=template, status="401") == 1
    assert value(said, "pico_requests_total", method="DELETE", route=template, status="401") == 1
    assert value(said, "pico_requests_total", method="none", route="none", status="404") == 1
    assert value(said, "pico_requests_total", method="none", route="none", status="405") == 1
    assert value(said, "pico_requests_total", method="GET", route="/healthz", status="200") == 1
    assert value(said, "pico_request_seconds_count", route=template) == 2


async def test_a_webhooks_lag_is_told_where_the_provider_tells_the_time(meters: Meters) -> None:
    answer = web.Response()
    for said_at in (NOW - timedelta(minutes=2), None, NOW + timedelta(minutes=1)):
        SAID_AT.set(said_at)
        meters.answered("POST", "/webhooks/telnyx/calls", answer, 0.01)
    SAID_AT.set(NOW)
    meters.answered("GET", "/v1/lines", answer, 0.01)
    said = await page(shown(meters))
    assert value(said, "pico_webhook_lag_seconds_count", provider="telnyx") == 2
    assert value(said, "pico_webhook_lag_seconds_sum", provider="telnyx") == 120


async def test_jobs_are_counted_by_name_and_by_what_came_of_them(meters: Meters) -> None:
    outcomes: Iterator[Outcome] = iter([Done(), Again(timedelta(), "later"), Dead("x"), Dead("y")])

    async def handle(_leased: LeasedJob) -> Outcome:
        return next(outcomes)

    world = InMemory()
    job = Job("send_message", AccountId(world.ids.new()), world.ids.new())
    leased = LeasedJob(job, JobLease(world.ids.new(), 1), 0, NOW)
    for _ in range(4):
        await meters.working(handle)(leased)
    said = await page(shown(meters))
    for outcome, count in (("done", 1), ("again", 1), ("dead", 2)):
        assert value(said, "pico_jobs_total", job="send_message", outcome=outcome) == count
    assert str(job.account_id) not in said


async def test_what_a_sweep_did_and_could_not_do_is_counted(meters: Meters) -> None:
    for _ in range(2):
        result = SweepResult()
        result.counts.update({"sessions": 3})
        result.failed.update({"store_unavailable": 1})
        meters.count_sweep(result)
    said = await page(shown(meters))
    assert value(said, "pico_purged_total", purge="sessions") == 6
    assert value(said, "pico_purge_failures_total", error="store_unavailable") == 2
    assert value(said, "pico_swept_timestamp_seconds") == NOW.timestamp()


async def test_the_loops_lag_is_measured(meters: Meters) -> None:
    timing = asyncio.create_task(meters.keep_timing_the_loop())
    await asyncio.sleep(0.6)
    timing.cancel()
    with suppress(asyncio.CancelledError):
        await timing
    assert value(await page(shown(meters)), "pico_event_loop_lag_seconds_count") >= 1


async def test_requests_to_providers_are_counted_by_name_and_class_of_status(meters: Meters) -> None:
    async def provider(request: web.BaseRequest) -> web.Response:
        return web.Response(status=int(request.raw_path.rpartition("/")[2]))

    async with serving(provider, "127.0.0.1", 0) as port:
        names = by_host(
            twilio=f"http://127.0.0.1:{port}", telnyx="https://api.telnyx.com,https://media.telnyx.com"
        )
        assert names["media.telnyx.com:443"] == "telnyx"
        async with ClientSession(trace_configs=[watching(names, meters.called)]) as session:
            for status in (200, 201, 404, 429, 503):
                await session.get(f"http://127.0.0.1:{port}/+12025550143/{status}")
            with suppress(OSError):
                await session.get("http://127.0.0.1:9/+12025550143")
    said = await page(shown(meters))
    for outcome, count in (("2xx", 2), ("4xx", 1), ("429", 1), ("5xx", 1)):
        assert value(said, "pico_provider_requests_total", provider="twilio", outcome=outcome) == count
    assert value(said, "pico_provider_requests_total", provider="other", outcome="unanswered") == 1
    assert "2025550143" not in said


async def test_calls_to_aws_are_counted_too(meters: Meters) -> None:
    from botocore.exceptions import ClientError

    calls = AwsCalls(called=meters.called)

    def refused() -> None:
        raise ClientError({"ResponseMetadata": {"HTTPStatusCode": 403}}, "GetObject")  # type: ignore[typeddict-item]

    def unanswered() -> None:
        raise OSError

    assert await calls(lambda: 7) == 7
    for act in (refused, unanswered):
        with pytest.raises((ClientError, OSError)):
            await calls(act)
    calls.close()
    said = await page(shown(meters))
    for outcome in ("2xx", "4xx", "unanswered"):
        assert value(said, "pico_provider_requests_total", provider="aws", outcome=outcome) == 1


async def test_what_is_still_to_be_done_is_told_of_the_world(meters: Meters) -> None:
    world = InMemory()
    ada = await world.signed_up("ada")
    await ada.deletes_account()
    world.clock.advance(timedelta(days=30, hours=2))  # and nothing sweeps
    said = await page(shown(meters, world.use_cases.read_backlog))
    assert value(said, "pico_backlog_known") == 1
    assert value(said, "pico_oldest_due_deletion_seconds") == 7200
    assert value(said, "pico_key_epoch") == 1
    assert value(said, "pico_ledger_records") == value(said, "pico_ledger_records_noted") == 1
    assert {step for (name, labels) in samples(said) if name == "pico_open_erasures" for _, step in labels} >= {
        "intent", "carrier_copies", "numbers", "keys", "rows", "verified", "receipt",
    }  # fmt: skip


async def test_an_erasure_that_is_stuck_shows_at_its_step(meters: Meters) -> None:
    world = InMemory()
    ada = await world.signed_up("ada")
    await ada.deletes_account()
    world.mail.outage = True
    await world.advance(timedelta(days=30))
    await world.advance(timedelta(hours=3))
    said = await page(shown(meters, world.use_cases.read_backlog))
    assert value(said, "pico_open_erasures", step="mail") == 1
    assert value(said, "pico_open_erasure_seconds", step="mail") == 3 * 3600
    assert value(said, "pico_oldest_due_deletion_seconds") == 3 * 3600
    assert value(said, "pico_queue_jobs", job="erase_account", state="later") == 1


def test_the_jobs_that_delete_copies_are_ones_that_there_are() -> None:
    assert JOB_TYPES.keys() >= COPY_JOBS


class Broken(PicoError):
    """Out of order."""

    kind = ErrorKind.UNAVAILABLE
    code = "out_of_order"


@pytest.mark.parametrize(
    "problem", [StoreUnavailable(), Broken(), TimeoutError(), RuntimeError("+12025550143")]
)
async def test_the_page_goes_on_when_the_backlog_cannot_be_read(problem: Exception, meters: Meters) -> None:
    async def read() -> Overview:
        raise problem

    with capture_logs() as events:
        said = await page(shown(meters, read))
    assert value(said, "pico_backlog_known") == 0
    assert value(said, "pico_build_info", release="0.1.0") == 1
    assert not any(name.startswith(("pico_oldest", "pico_open", "pico_queue")) for name, _ in samples(said))
    assert [event["event"] for event in events] == (["unexpected"] if type(problem) is RuntimeError else [])


async def test_a_look_that_takes_too_long_is_not_waited_for(
    meters: Meters, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def read() -> Overview:
        await asyncio.sleep(60)
        raise AssertionError

    monkeypatch.setattr(exposition, "READ_SECONDS", 0.05)
    assert value(await page(shown(meters, read)), "pico_backlog_known") == 0


async def test_many_who_ask_at_once_cost_one_look(meters: Meters) -> None:
    world, looks = InMemory(), 0

    async def read() -> Overview:
        nonlocal looks
        looks += 1
        return await world.use_cases.read_backlog()

    async with calling(shown(meters, read)) as admin:
        await asyncio.gather(*(admin.ask("GET", "/metrics") for _ in range(20)))
    assert looks == 1


async def test_the_admin_port_answers_nothing_else(meters: Meters) -> None:
    async with calling(shown(meters)) as admin:
        assert (await admin.ask("GET", "/healthz")).status == 200
        assert (await admin.ask("HEAD", "/metrics")).status == 200
        assert (await admin.ask("GET", "/v1/lines")).status == 404
        refused = await admin.ask("POST", "/metrics")
        assert (refused.status, refused.headers["Allow"]) == (405, "GET, HEAD")
        assert (
            (await admin.ask("GET", "/metrics?x=1"))
            .headers["Content-Type"]
            .startswith("text/plain; version=")
        )


async def test_pools_and_the_gate_are_told_of(meters: Meters) -> None:
    gauges = ProcessGauges({"store": lambda: PoolUse(12, 3, 1)}, lambda: False)
    said = await page(Exposition(meters.registry, InMemory().use_cases.read_backlog, (gauges,)))
    for state, count in (("most", 12), ("busy", 3), ("waiting", 1)):
        assert value(said, "pico_pool_connections", pool="store", state=state) == count
    assert value(said, "pico_restore_gate_open") == 0


async def read(port: int) -> str:
    async with ClientSession() as session, session.get(f"http://127.0.0.1:{port}/metrics") as answer:
        return await answer.text()


async def test_serve_and_work_each_show_their_own(postgres: Postgres, tmp_path: Path) -> None:
    serving_at, working_at = free_port(), free_port()
    settings = Settings(
        port=0, state_dir=tmp_path, database_url=SecretStr(await postgres.database("metrics")),
        keyring_url=SecretStr(await postgres.bare("keyring")), admin_port=serving_at,
    )  # fmt: skip
    async with Sandbox.running(settings, work=False) as sandbox:
        async with Sandbox.working(settings.model_copy(update={"admin_port": working_at})):
            async with ClientSession() as session:
                await session.get(sandbox.url + "/healthz")
            async with asyncio.timeout(20):
                while not value(await read(working_at), "pico_swept_timestamp_seconds"):  # noqa: ASYNC110 - it is asked
                    await asyncio.sleep(0.1)
            served, worked = await read(serving_at), await read(working_at)
            asked = {"method": "GET", "route": "/healthz", "status": "200"}
            assert value(served, "pico_requests_total", **asked) == 1
            assert ("pico_requests_total", frozenset(asked.items())) not in samples(worked)
            assert value(served, "pico_swept_timestamp_seconds") == 0
            for said in (served, worked):
                assert value(said, "pico_restore_gate_open") == 1
                assert value(said, "pico_backlog_known") == 1
                assert value(said, "pico_pool_connections", pool="store", state="most") == 12
        taken = settings.model_copy(update={"state_dir": tmp_path, "admin_port": serving_at})
        with pytest.raises(CannotListen, match="PICO_ADMIN_PORT"):
            async with Sandbox.working(taken):
                pass
    gc.collect()


async def test_without_a_port_nothing_counts_and_nothing_listens(postgres: Postgres, tmp_path: Path) -> None:
    settings = Settings(
        port=0, state_dir=tmp_path, database_url=SecretStr(await postgres.database("metrics")),
        keyring_url=SecretStr(await postgres.bare("keyring")),
    )  # fmt: skip
    async with Sandbox.running(settings) as sandbox:
        assert sandbox.product.meters is None


def test_labels_are_read_whole() -> None:
    assert labels_of('a{b="c",d="e"} 1\na{b="f",d="e"} 1\n') == {"b": {"c", "f"}, "d": {"e"}}
