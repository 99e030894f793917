"""What this process has at hand, as gauges: connections to its databases, and whether it may serve."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from typing_extensions import override


class PoolUse(NamedTuple):
    """Connections of one pool: at most so many, of which so many are busy, and how many calls wait for one."""

    most: int
    busy: int
    waiting: int


@dataclass(frozen=True, slots=True, eq=False)
class ProcessGauges(Collector):
    """Asks what it tells of, which must not wait for anything."""

    pools: Mapping[str, Callable[[], PoolUse]]
    is_open: Callable[[], bool]
    """Whether the restore gate has let this process through."""

    @override
    def collect(self) -> Iterator[GaugeMetricFamily]:
        pools = GaugeMetricFamily(
            "pico_pool_connections", "Connections to a database.", labels=("pool", "state")
        )
        for name, use in self.pools.items():
            for state, count in use()._asdict().items():
                pools.add_metric((name, state), count)
        yield pools
        yield GaugeMetricFamily(
            "pico_restore_gate_open",
            "Whether the restore gate has let this process through.",
            value=self.is_open(),
        )
