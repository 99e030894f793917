"""Reading what a process shows to Prometheus, as Prometheus does."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(page: str) -> Samples:
    """Return every sample by its name and labels."""
    read = openmetrics if page.rstrip().endswith("# EOF") else plain
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in read(page)
        for sample in family.samples
    }


def value(page: str, name: str, **labels: str) -> float:
    """Return one sample's value. Raises KeyError."""
    return samples(page)[name, frozenset(labels.items())]


def labels_of(page: str) -> Mapping[str, set[str]]:
    """Return every value of every label."""
    found: dict[str, set[str]] = {}
    for _, labels in samples(page):
        for label, said in labels:
            found.setdefault(label, set()).add(said)
    return found
