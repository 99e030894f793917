"""What is still to be done, as gauges. Every process that is asked tells the same: take the greatest, not the sum."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from typing_extensions import override

from application.backlog import Overview


@dataclass(slots=True, eq=False)
class BacklogGauges(Collector):
    """Tells of the overview that was read last; of none where it could not be read, and says that."""

    overview: Overview | None = None

    @override
    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield _gauge(
            "backlog_known", "Whether what is still to be done could be read.", self.overview is not None
        )
        found = self.overview
        if found is None:
            return
        yield _by("queue_jobs", "Jobs that are due, or will be within hours.", ("job", "state"), {
            (one.job, state): count for one in found.work for state, count in (("due", one.due), ("later", one.later))
        })  # fmt: skip
        yield _by("queue_late_seconds", "For how long the job that is due longest has been.", ("job",), {
            (one.job,): one.late.total_seconds() for one in found.work
        })  # fmt: skip
        yield _by("queue_failing", "Jobs that failed when they were tried last, by code.", ("error",), {
            (code,): count for code, count in found.failing.items()
        })  # fmt: skip
        yield _gauge(
            "oldest_due_deletion_seconds", "For how long the account furthest behind has been due for erasure.",
            found.oldest_due_deletion.total_seconds(),
        )  # fmt: skip
        yield _gauge(
            "oldest_carrier_copy_seconds", "Since when a copy at a carrier has waited for its deletion.",
            found.oldest_carrier_copy.total_seconds(),
        )  # fmt: skip
        yield _by("open_erasures", "Erasures under way, by the step that is next.", ("step",), {
            (step,): at.count for step, at in found.erasures.items()
        })  # fmt: skip
        yield _by("open_erasure_seconds", "Age of the oldest erasure at a step.", ("step",), {
            (step,): at.oldest.total_seconds() for step, at in found.erasures.items()
        })  # fmt: skip
        yield _by("held_by_providers", "What providers hold still of erasures under way.", ("holding",), {
            (holding.value,): count for holding, count in found.held.items()
        })  # fmt: skip
        yield _gauge("key_epoch", "The number of the master key's epoch.", found.epoch)
        yield _gauge(
            "key_epoch_age_seconds",
            "Since when the present master key wraps.",
            found.epoch_age.total_seconds(),
        )
        yield _gauge("ledger_records", "Records of the erasure ledger.", found.ledger_records)
        yield _gauge("ledger_records_noted", "How many of them the database knows.", found.records_noted)


def _gauge(name: str, says: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"pico_{name}", says, value=float(value))


def _by(
    name: str, says: str, labels: tuple[str, ...], values: Mapping[tuple[str, ...], float]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"pico_{name}", says, labels=labels)
    for words, value in values.items():
        family.add_metric(words, value)
    return family
