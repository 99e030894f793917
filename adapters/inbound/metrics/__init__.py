"""Metrics of one process, for Prometheus: names and codes of ours, counts and durations, and never of whom."""

from adapters.inbound.metrics.exposition import Exposition
from adapters.inbound.metrics.meters import Meters
from adapters.inbound.metrics.provider_calls import watching

__all__ = ["Exposition", "Meters", "watching"]
