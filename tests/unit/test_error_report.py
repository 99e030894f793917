"""A report of an unforeseen error names its type and its place in our code, and never a value."""

from __future__ import annotations

import json
import re

import pytest
from structlog.testing import capture_logs

from adapters.error_report import also_telling, report, report_key, where
from adapters.inbound.http.json_format import read_id_cursor
from domain.values import PhoneNumber

CANARY = "c4n4ry-7f3e"


class Telling(Exception):
    """An error that says all it knows, whichever way it is asked."""

    def __str__(self) -> str:
        return CANARY

    __repr__ = __str__


def rising_in_a_library() -> Exception:
    """Return an error that rose in a decoder of the library, which our own function called."""
    with pytest.raises(ValueError) as raised:
        read_id_cursor("A")
    return raised.value


def test_a_report_names_type_and_place_and_the_callers_facts() -> None:
    error = rising_in_a_library()
    with capture_logs() as events:
        report(error, "job failed", job="send_message", attempt=3)
    (event,) = events
    assert re.fullmatch(r"adapters\.inbound\.http\.json_format:read_id_cursor:\d+", event.pop("where"))
    assert event == {
        "event": "job failed",
        "log_level": "error",
        "error": type(error).__name__,
        "job": "send_message",
        "attempt": 3,
    }


class OneKey(Exception):
    """A provider's."""


class AnotherKey(Exception):
    """Another provider's."""


def test_that_a_key_is_not_taken_is_said_once_an_hour_of_each_provider_and_to_whoever_comes_to_listen() -> (
    None
):
    said = list[str]()
    refused = ((0, OneKey()), (1, OneKey()), (2, AnotherKey()), (3599, OneKey()), (3600, OneKey()))
    with capture_logs() as events:
        for _ in range(2):
            with also_telling(lambda error: said.append(type(error).__name__)):
                for at, error in refused:
                    report_key(error, lambda: at)  # noqa: B023 - asked at once
    assert said == ["OneKey", "AnotherKey", "OneKey"] * 2
    assert {event["event"] for event in events} == {"key not taken"}


def test_a_report_quotes_nothing() -> None:
    error = Telling(CANARY, {"number": PhoneNumber("+12025550143")})
    error.add_note(CANARY)
    error.__cause__ = ValueError(CANARY)
    with capture_logs() as events:
        report(error)
    assert [event["error"] for event in events] == ["Telling"]
    assert CANARY not in repr(events)
    assert "2025550143" not in repr(events)


def test_the_place_is_the_innermost_of_ours_or_the_innermost_of_all() -> None:
    assert where(rising_in_a_library()).startswith("adapters.inbound.http.json_format:read_id_cursor:")
    with pytest.raises(ValueError) as raised:
        json.loads("{")
    assert where(raised.value).startswith("json.decoder:raw_decode:")
    assert where(ValueError()) == "unknown"
