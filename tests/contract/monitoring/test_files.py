"""The files for Prometheus and Grafana: every metric they name exists, and every alarm has a page that helps."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import Counter, Gauge, Histogram

from adapters.inbound.metrics import Meters
from adapters.inbound.metrics.backlog import BacklogGauges
from adapters.inbound.metrics.process import PoolUse, ProcessGauges
from adapters.inbound.worker import LONGEST_WAIT
from application.ports.backlog import HORIZON
from bootstrap.worlds import InMemory
from domain.epochs import EpochPolicy

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy" / "monitoring"
RUNBOOKS = ROOT / "docs" / "runbooks"
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((FOLDER / "rules.yml").read_text())["groups"] for rule in group["rules"]
]
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "dashboard.json").read_text())
METRIC = re.compile(r"\b(?:pico|process)_\w+")
LABELS = re.compile(r"\{([^{}]*)\}|\bby \(([^()]*)\)")
PROMTOOL = shutil.which("promtool")
ALARMS = [rule["alert"] for rule in RULES]


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in RULES)
    for panel in DASHBOARD["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))


@pytest.fixture
async def known() -> dict[str, set[str]]:
    """The labels of every sample that a process can show, by the sample's name."""
    world = InMemory()
    meters, backlog = Meters("0.1.0", world.clock.now), BacklogGauges(await world.use_cases.read_backlog())
    found = {family.name: set[str]() for family in meters.registry.collect()}
    for metric in vars(meters).values():
        if isinstance(metric, Counter | Gauge | Histogram):
            (family,) = metric.describe()
            labels = {*metric._labelnames, "instance"}
            for suffix in {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}.get(
                family.type, [""]
            ):
                found[family.name + suffix] = labels | ({"le"} if suffix == "_bucket" else set())
    gauges = ProcessGauges({"store": lambda: PoolUse(12, 3, 1)}, lambda: True)
    for family in (*backlog.collect(), *gauges.collect()):
        found[family.name] = set(family._labelnames)
    return found


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_every_metric_that_is_named_exists_with_these_labels(
    expression: str, known: dict[str, set[str]]
) -> None:
    named = METRIC.findall(re.sub(r'"[^"]*"', '""', expression))
    assert named, "an expression of nothing"
    assert set(named) <= known.keys()
    labels = {
        word
        for matched, by in LABELS.findall(re.sub(r'"[^"]*"', '""', expression))
        for word in re.findall(r"\w+", matched + " " + by)
    }
    assert labels <= set().union(*(known[name] for name in named))


def test_a_metric_that_there_is_not_is_noticed(known: dict[str, set[str]]) -> None:
    with pytest.raises(AssertionError):
        test_every_metric_that_is_named_exists_with_these_labels("max(pico_no_such_thing) > 1", known)
    with pytest.raises(AssertionError):
        test_every_metric_that_is_named_exists_with_these_labels(
            'sum by (account) (pico_jobs_total{job="x"})', known
        )


@pytest.mark.parametrize("rule", RULES, ids=ALARMS)
def test_every_alarm_says_how_urgent_it_is_and_has_a_page(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"]["summary"].endswith(".")
    page = ROOT / rule["annotations"]["runbook"]
    assert page.parent == RUNBOOKS
    text = page.read_text()
    assert rule["alert"] in text, "the page does not say what this alarm means"
    assert len(text.splitlines()) <= 60, "a page is one screen"


def test_every_page_is_of_some_alarm_and_no_alarm_is_there_twice() -> None:
    assert {ROOT / rule["annotations"]["runbook"] for rule in RULES} == set(RUNBOOKS.glob("*.md"))
    assert len(set(ALARMS)) == len(ALARMS)


@pytest.mark.parametrize("page", sorted(RUNBOOKS.glob("*.md")), ids=lambda page: page.stem)
def test_pages_name_metrics_that_there_are(page: Path, known: dict[str, set[str]]) -> None:
    named = set(re.findall(r"\b(?:pico|process)_\w+", page.read_text()))
    assert named <= known.keys() | {name.removesuffix("_bucket") for name in known}


def test_what_promises_say_is_what_the_alarms_watch() -> None:
    watched = " ".join(expressions())
    for name in (
        "oldest_due_deletion_seconds", "oldest_carrier_copy_seconds", "open_erasures", "key_epoch_age_seconds",
        "restore_gate_open", "ledger_records_noted",
    ):  # fmt: skip
        assert f"pico_{name}" in watched


def test_limits_fit_the_periods_that_they_watch() -> None:
    (epoch,) = (rule["expr"] for rule in RULES if rule["alert"] == "KeyEpochOld")
    days = int(re.findall(r"> (\d+) \* 86400", epoch)[0])
    assert EpochPolicy().period < timedelta(days=days) <= EpochPolicy().period + timedelta(days=1)
    assert LONGEST_WAIT * 1.25 < HORIZON, "a job that waits for its next attempt is out of sight"


def test_the_dashboard_asks_for_its_source_and_has_each_panel_once() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    (source,) = DASHBOARD["templating"]["list"]
    for panel in DASHBOARD["panels"]:
        if panel["type"] != "row":
            assert panel["datasource"]["uid"] == f"${{{source['name']}}}"
            assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
            assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed here")
def test_promtool_takes_the_rules() -> None:
    done = subprocess.run(
        [str(PROMTOOL), "check", "rules", str(FOLDER / "rules.yml")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
