"""How deep and how large JSON may be: whatever a body nests or counts, it is a client's error and never ours."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.inbound.http.json_format import DEEPEST, decode
from adapters.inbound.http.problems import MalformedJson
from tests.support.http_world import HttpWorld

DEEPEST_TRIED = 30_000
LEVEL = {"list": (b"[", b"]"), "object": (b'{"a":', b"}"), "escaped": (b'{"\\u0041":', b"}")}


@pytest.fixture
async def http() -> AsyncIterator[HttpWorld]:
    async with HttpWorld.running() as world:
        yield world


def nested(depth: int, kind: str = "list", *, escape: bool = False, closed: bool = True) -> bytes:
    """Write `depth` levels around a string."""
    opening, closing = LEVEL[kind]
    return opening * depth + (b'"\\u0041"' if escape else b'"A"') + closing * depth * closed


def is_taken(raw: bytes) -> bool:
    """Tell whether a body is JSON to us. Anything raised but MalformedJson would be a 500."""
    try:
        decode(raw)
    except MalformedJson:
        return False
    return True


@pytest.mark.parametrize("escape", [False, True])
@pytest.mark.parametrize("kind", ["list", "escaped"])
def test_every_depth_is_json_up_to_the_limit_and_never_an_error_of_ours(kind: str, *, escape: bool) -> None:
    taken = [depth for depth in range(1, DEEPEST_TRIED + 1) if is_taken(nested(depth, kind, escape=escape))]
    assert taken == list(range(1, DEEPEST + 1))


@given(
    levels=st.lists(st.sampled_from(list(LEVEL.values())), max_size=2_000),
    repeated=st.integers(1, 15),
    inner=st.sampled_from([b'"\\u0041"', b'"[[[{{{"', b'"\\"["', b"1", b"", b'"[', b'"\\']),
    closed=st.booleans(),
)
def test_any_mixture_of_levels_is_taken_or_malformed(
    levels: list[tuple[bytes, bytes]], repeated: int, inner: bytes, *, closed: bool
) -> None:
    levels *= repeated
    opening = b"".join(opening for opening, _ in levels)
    raw = opening + inner + b"".join(closing for _, closing in reversed(levels)) * closed
    assert not is_taken(raw) or len(levels) <= DEEPEST


def test_brackets_within_a_string_are_text() -> None:
    text = "[{" * 1_000 + '"\\' + "]}" * 3
    assert decode(json.dumps([text, [text]]).encode()) == [text, [text]]


@pytest.mark.parametrize("escape", [False, True])
@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize(
    "depth", [1, 2, 31, 32, 33, 100, 330, 500, 900, 990, 1_000, 1_010, 3_000, 10_000, 29_990]
)
async def test_no_depth_makes_the_edge_fail(
    depth: int, http: HttpWorld, *, escape: bool, closed: bool
) -> None:
    for raw in (
        nested(depth, escape=escape, closed=closed),
        b'{"email":' + nested(depth, escape=escape) + b"}",
    ):
        answer = await http.call("POST", "/v1/sessions", raw=raw)
        assert answer.status in {400, 422}


@pytest.mark.parametrize(
    "number", ["1e999", "-1e999", "1e400", "9" * 400 + ".0", "9" * 41, "-" + "9" * 4_301, "0." + "3" * 60_000]
)
async def test_a_number_past_any_use_is_malformed(number: str, http: HttpWorld) -> None:
    answer = await http.call("POST", "/v1/sessions", raw=b'{"email": %s}' % number.encode())
    assert (answer.status, answer.code) == (400, "malformed_json")


@pytest.mark.parametrize("number", ["0", "-0", "1e-999", "1E+2", "-1.5e3", "9007199254740991", "9" * 40])
def test_a_number_within_bounds_is_one(number: str) -> None:
    assert decode(number.encode()) == json.loads(number)
