"""What comes in: strict JSON, models that point at flaws, keys, queries."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from multidict import CIMultiDict, CIMultiDictProxy
from structlog.testing import capture_logs

from adapters.inbound.http.guards import Idempotent, idempotency_key
from adapters.inbound.http.json_format import decode
from adapters.inbound.http.problems import KeyMalformed
from adapters.inbound.http.route import Route
from adapters.inbound.http.routes import ROUTES
from tests.support.http_world import PASSWORD, HttpWorld, filled

CANARY = "c4n4ry-7f3e"
ID = str(uuid4())
CREDENTIALS = {"email": "ada@example.org", "password": PASSWORD}


@pytest.fixture
async def http() -> AsyncIterator[HttpWorld]:
    async with HttpWorld.running() as world:
        yield world


NOT_JSON = {
    "nothing": b"",
    "broken": b'{"email": ',
    "trailing": b"{} {}",
    "single quotes": b"{'email': 1}",
    "a name twice": b'{"email": "a@example.org", "email": "b@example.org", "password": "x"}',
    "a name twice, inside": b'{"email": {"a": 1, "a": 1}}',
    "NaN": b'{"email": NaN}',
    "Infinity": b'{"email": -Infinity}',
    "half a pair": b'{"email": "\\ud83d"}',
    "half a pair in a name": b'{"\\udc00": 1}',
    "half a pair in a list": b'{"email": [["\\ud83d"]]}',
    "NUL": b'{"email": "\\u0000"}',
    "bare NUL": b'{"email": "\x00"}',
    "Latin-1": '{"email": "é"}'.encode("latin-1"),
    "UTF-16": '{"email": "a"}'.encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf{}",
    "surrogates in UTF-8": b'{"email": "\xed\xa0\xbd"}',
    "deep": b"[" * 60_000,
    "deep and closed": b"[" * 30_000 + b"]" * 30_000,
    "endless number": b'{"email": ' + b"9" * 10_000 + b"}",
}


@pytest.mark.parametrize("raw", NOT_JSON.values(), ids=NOT_JSON.keys())
async def test_what_is_not_strictly_json_is_400(raw: bytes, http: HttpWorld) -> None:
    answer = await http.call("POST", "/v1/sessions", raw=raw)
    assert (answer.status, answer.code) == (400, "malformed_json")


def test_text_that_only_looks_like_an_escape_is_text() -> None:
    assert decode(rb'{"a": "\\u0000 \\ud83d", "b": "\ud83d\ude00"}') == {
        "a": r"\u0000 \ud83d",
        "b": "😀",
    }


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 422),
        ("application/json; charset=utf-8", 422),
        ('Application/JSON;charset="UTF-8"', 422),
        ("application/json; charset=utf8", 422),
        ("application/json;charset=US-ASCII", 422),
        ("application/json ;\tCharset=UTF-8 ; ", 422),
        ('application/json; profile="a;b\\"c"; v=1', 422),
        ("application/json; charset=utf-8; charset=latin-1", 415),
        ("application/json; charset = utf-8", 415),
        ("application/json; charset", 415),
        ("application/json charset=utf-8", 415),
        ("application/json, application/json", 415),
        ("application/json; charset=utf-16", 415),
        ("", 415),
        ("text/plain", 415),
        ("application/jsonp", 415),
        ("application/json; charset=latin-1", 415),
        ("application/x-www-form-urlencoded", 415),
    ],
)
async def test_a_body_is_json_by_name(kind: str, status: int, http: HttpWorld) -> None:
    answer = await http.call("POST", "/v1/sessions", raw=b"{}", headers={"Content-Type": kind})
    assert answer.status == status


async def test_compressed_bodies_are_refused_unopened(http: HttpWorld) -> None:
    answer = await http.call("POST", "/v1/sessions", raw=b"{}", headers={"Content-Encoding": "gzip"})
    assert (answer.status, answer.code) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("change", "flaw"),
    [
        ({"email": "ada"}, ("/email", "invalid_email")),
        ({"email": "ada\u200f@example.org"}, ("/email", "invalid_email")),
        ({"email": "ada@exam\ufe0fple.org"}, ("/email", "invalid_email")),
        ({"email": 7}, ("/email", "wrong_type")),
        ({"email": None}, ("/email", "wrong_type")),
        ({"password": "short"}, ("/password", "weak_password")),
        ({"password": "x" * 257}, ("/password", "weak_password")),
        ({"display_name": " "}, ("/display_name", "invalid_label")),
        ({"display_name": "a\nb"}, ("/display_name", "invalid_label")),
        ({"display_name": "a\x85b"}, ("/display_name", "invalid_label")),
        ({"display_name": "\u200b"}, ("/display_name", "invalid_label")),
        ({"locale": "english"}, ("/locale", "invalid_locale")),
        ({"accepted": {"terms": True, "privacy": False}}, ("/accepted/privacy", "must_be_true")),
        ({"accepted": {"terms": 1, "privacy": True}}, ("/accepted/terms", "wrong_type")),
        ({"accepted": {"terms": True}}, ("/accepted/privacy", "missing")),
        ({"accepted": True}, ("/accepted", "wrong_type")),
        ({CANARY: CANARY}, ("", "unknown_field")),
        ({"nickname": CANARY}, ("/nickname", "unknown_field")),
        (
            {"accepted": {"terms": True, "privacy": True, "all_of_it": 1}},
            ("/accepted/all_of_it", "unknown_field"),
        ),
        ({"accepted": {"terms": True, "privacy": True, CANARY: 1}}, ("/accepted", "unknown_field")),
    ],
)
async def test_a_flaw_is_pointed_at_and_never_repeated(
    change: dict[str, object], flaw: tuple[str, str], http: HttpWorld
) -> None:
    good = {
        **CREDENTIALS,
        "display_name": CANARY,
        "locale": "en",
        "accepted": {"terms": True, "privacy": True},
    }
    with capture_logs() as events:
        answer = await http.call("POST", "/v1/accounts", good | change)
    assert (answer.status, answer.code, answer.flaws) == (422, "invalid_input", {flaw})
    assert CANARY.encode() not in answer.body
    assert events == []


async def test_a_missing_body_says_what_is_missing(http: HttpWorld) -> None:
    answer = await http.call("POST", "/v1/sessions")
    assert (answer.status, answer.flaws) == (422, {("/email", "missing"), ("/password", "missing")})


@pytest.mark.parametrize("sent", [b"{}", None])
async def test_a_correction_corrects_something(sent: bytes | None, http: HttpWorld) -> None:
    token = await http.person()
    answer = await http.call("PATCH", "/v1/account", raw=sent, token=token)
    assert (answer.status, answer.flaws) == (422, {("", "nothing_to_change")})
    path = f"/v1/lines/{await http.line(token)}"
    answer = await http.call("PATCH", path, raw=sent, token=token)
    assert (answer.status, answer.flaws) == (422, {("", "nothing_to_change")})


async def test_signing_out_elsewhere_says_what_stays(http: HttpWorld) -> None:
    token = await http.person()
    for query, code in (("", "missing"), ("?except=none", "malformed")):
        answer = await http.call("DELETE", f"/v1/sessions{query}", token=token)
        assert (answer.status, answer.flaws) == (422, {("/except", code)})
    assert (await http.call("DELETE", "/v1/sessions?except=current", token=token)).status == 204


@pytest.mark.parametrize("body", [[], 7, "x", None, True])
async def test_a_body_is_an_object(body: object, http: HttpWorld) -> None:
    answer = await http.call("POST", "/v1/sessions", raw=json.dumps(body).encode())
    assert (answer.status, answer.flaws) == (422, {("", "wrong_type")})


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if Idempotent() in route.guards], ids=lambda r: r.path
)
async def test_what_costs_money_or_sends_needs_a_key(route: Route, http: HttpWorld) -> None:
    token = await http.person()
    path = filled(route, ID)
    missing = await http.call("POST", path, {}, token=token)
    assert (missing.status, missing.code) == (400, "idempotency_key_missing")
    for key in ("", "a b", "é", "x" * 256):
        answer = await http.call("POST", path, {}, token=token, headers={"Idempotency-Key": key})
        assert (answer.status, answer.code) == (400, "idempotency_key_malformed")
    assert (
        await http.call("POST", path, {}, token=token, headers={"Idempotency-Key": "x" * 255})
    ).status == 422


def test_two_keys_are_none() -> None:
    with pytest.raises(KeyMalformed):
        idempotency_key(CIMultiDictProxy(CIMultiDict([("Idempotency-Key", "a"), ("idempotency-key", "b")])))


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=0", "malformed"),
        ("limit=101", "malformed"),
        ("limit=1.0", "malformed"),
        ("limit=%201", "malformed"),
        ("limit=", "malformed"),
        ("line_id=7", "malformed"),
        ("cursor=", "malformed"),
        ("cursor=AAAA", "malformed"),
        ("cursor=" + "A" * 31 + "!", "malformed"),
        ("cursor=" + "_" * 32, "malformed"),
        ("cursor=%C3%A9", "malformed"),
        ("cursor=" + "A" * 32 + "!", "malformed"),
    ],
)
async def test_a_parameter_that_breaks_a_rule_is_422(query: str, code: str, http: HttpWorld) -> None:
    token = await http.person()
    answer = await http.call("GET", f"/v1/conversations?{query}", token=token)
    assert (answer.status, answer.flaws) == (422, {(f"/{query.partition('=')[0]}", code)})


@pytest.mark.parametrize("cursor", ["", "A" * 21, "A" * 23, "A" * 22 + "!", "A" * 21 + "B", "A" * 32])
async def test_a_cursor_is_taken_only_as_it_was_given(cursor: str, http: HttpWorld) -> None:
    path = f"/v1/conversations/{ID}/messages?cursor="
    token = await http.person()
    assert (await http.call("GET", path + "A" * 22, token=token)).status == 404
    answer = await http.call("GET", path + cursor, token=token)
    assert (answer.status, answer.flaws) == (422, {("/cursor", "malformed")})


async def test_an_unknown_parameter_is_refused_and_not_repeated(http: HttpWorld) -> None:
    answer = await http.call("GET", f"/v1/conversations?{CANARY}=1", token=await http.person())
    assert (answer.status, answer.flaws) == (422, {("", "unknown_field")})
    assert CANARY.encode() not in answer.body


@pytest.mark.parametrize(
    "query", ["limit", "limit=1&limit=1", "limit=%ff", "&&", "&".join(f"a{n}=1" for n in range(21))]
)
async def test_a_query_that_is_none_is_400(query: str, http: HttpWorld) -> None:
    answer = await http.call("GET", f"/v1/conversations?{query}", token=await http.person())
    assert (answer.status, answer.code) == (400, "malformed_query")


@pytest.mark.parametrize("body", [b"{}", b"x"])
async def test_a_body_that_nobody_reads_is_refused_where_something_would_change(
    http: HttpWorld, body: bytes
) -> None:
    token = await http.person()
    for method, path in (("POST", "/v1/account/exports"), ("DELETE", "/v1/sessions/current")):
        answer = await http.call(method, path, token=token, raw=body)
        assert (answer.status, answer.code) == (400, "needless_body")
    assert (await http.call("GET", "/v1/account/exports", token=token)).json["items"] == []
    assert (await http.call("POST", "/v1/account/exports", token=token, raw=b"")).status == 202
