"""How the Python client asks: once, again where that is harmless, page by page, and without showing anything."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator

import httpx
import pytest

from pico_client import Pico, Problem
from pico_client.calls import FIRST_PAUSE, PATIENCE
from pico_client.problems import NO_PROBLEM

SESSION = {"id": "1", "label": None, "created_at": "2026-01-05T12:00:00Z", "current": True}
SECRET = "a secret"
LINE = {
    "id": "1",
    "number": "+12025550143",
    "country": "US",
    "capabilities": ["sms"],
    "label": SECRET,
    "do_not_disturb": None,
    "forward_to": SECRET,
    "forward_when": ["busy"],
    "state": "active",
    "created_at": "2026-01-05T12:00:00Z",
    "release_at": None,
    "released_at": None,
    "invented_later": SECRET,
}
LOST = httpx.ReadError("the connection broke")


def busy(wait: str | None = "2", code: str = "store_unavailable") -> httpx.Response:
    problem = {"type": "tag:x", "title": "Not now.", "status": 503, "code": code, "request_id": "r"}
    headers = {"Content-Type": "application/problem+json"} | ({"Retry-After": wait} if wait else {})
    return httpx.Response(503, content=json.dumps(problem), headers=headers)


class Script:
    """A server that says what it was told to, in order, and a client of it that does not really wait."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []
        self.waited: list[float] = []
        transport = httpx.MockTransport(self._answer)
        self.pico = Pico("https://pico.example", "token", transport=transport, pause=self.waited.append)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.mark.parametrize(
    ("first", "waited"), [(LOST, FIRST_PAUSE), (busy("2"), 2), (busy("30"), PATIENCE)], ids=str
)
@pytest.mark.parametrize(
    "ask",
    [lambda pico: pico.read_line("1"), lambda pico: pico.buy_line("+12025550143")],
    ids=["reads", "has a key"],
)
def test_what_is_harmless_to_repeat_is_repeated_under_the_same_key(
    ask: Callable[[Pico], object], first: httpx.Response | Exception, waited: float
) -> None:
    script = Script(first, httpx.Response(200, json=LINE))
    ask(script.pico)
    assert script.waited == [waited]
    assert len({request.headers.get("Idempotency-Key") for request in script.asked}) == 1


@pytest.mark.parametrize("answer", [LOST, busy("2")], ids=["lost", "busy"])
def test_what_may_not_be_harmless_is_not(answer: httpx.Response | Exception) -> None:
    script = Script(answer)
    with pytest.raises((httpx.ReadError, Problem)):
        script.pico.sign_in("ada@example.org", SECRET)
    assert len(script.asked) == 1


@pytest.mark.parametrize("answer", [busy(None), busy("31")], ids=["not by itself", "too long"])
def test_who_is_not_told_to_wait_or_too_long_is_told_so(answer: httpx.Response) -> None:
    script = Script(answer)
    with pytest.raises(Problem) as caught:
        script.pico.read_line("1")
    assert (caught.value.code, script.waited) == ("store_unavailable", [])


def test_it_gives_up() -> None:
    script = Script(LOST, LOST, LOST)
    with pytest.raises(httpx.ReadError):
        script.pico.read_line("1")
    assert script.waited == [FIRST_PAUSE, 2 * FIRST_PAUSE]


def test_each_call_has_a_key_of_its_own_and_the_callers_is_kept() -> None:
    script = Script(*(httpx.Response(201, json=LINE) for _ in range(3)))
    for key in (None, None, "mine"):
        script.pico.buy_line("+12025550143", key=key)
    first, second, third = (request.headers["Idempotency-Key"] for request in script.asked)
    assert len({first, second, third}) == 3
    assert third == "mine"


def test_a_list_is_read_to_its_end_and_no_further_than_asked() -> None:
    pages = [
        httpx.Response(200, json={"items": [SESSION | {"id": name}], "next_cursor": more})
        for name, more in (("1", "a"), ("2", "b"), ("3", None))
    ]
    script = Script(*pages)
    sessions = script.pico.list_sessions()
    assert next(sessions).id == "1"
    assert len(script.asked) == 1
    assert [session.id for session in sessions] == ["2", "3"]
    assert [dict(request.url.params) for request in script.asked] == [{}, {"cursor": "a"}, {"cursor": "b"}]


def test_a_problem_says_all_that_the_document_says() -> None:
    flaws = [{"pointer": "/email", "code": "malformed"}]
    said = {
        "type": "tag:x",
        "title": "Wrong.",
        "status": 422,
        "code": "invalid_input",
        "request_id": "r",
        "errors": flaws,
    }
    answer = httpx.Response(
        422, content=json.dumps(said), headers={"Content-Type": "application/problem+json"}
    )
    with pytest.raises(Problem, match=r"invalid_input: Wrong\.") as caught:
        Script(answer).pico.sign_in("x", "y")
    problem = caught.value
    assert (problem.status, problem.request_id, problem.retry_after) == (422, "r", None)
    assert [(flaw.pointer, flaw.code) for flaw in problem.flaws] == [("/email", "malformed")]


def test_a_no_that_is_not_picos_own_is_a_problem_too() -> None:
    script = Script(httpx.Response(502, text=f"<h1>{SECRET}</h1>"))
    with pytest.raises(Problem) as caught:
        script.pico.download_export("1", SECRET, io.BytesIO())
    assert (caught.value.status, caught.value.code) == (502, NO_PROBLEM)
    assert SECRET not in str(caught.value)


class Cut(httpx.SyncByteStream):
    """A body that breaks off."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"0123"
        yield b"45"
        raise LOST


def test_a_download_goes_on_where_it_broke_off() -> None:
    script = Script(httpx.Response(200, stream=Cut()), LOST, httpx.Response(206, content=b"6789"))
    into = io.BytesIO()
    script.pico.download_export("1", SECRET, into)
    assert into.getvalue() == b"0123456789"
    assert [request.headers.get("Range") for request in script.asked] == [None, "bytes=6-", "bytes=6-"]


def test_a_download_that_keeps_breaking_off_is_given_up() -> None:
    script = Script(*(httpx.Response(200, stream=Cut()) for _ in range(3)))
    with pytest.raises(httpx.ReadError):
        script.pico.download_export("1", SECRET, io.BytesIO())
    assert len(script.asked) == 3


def test_an_id_stays_one_part_of_the_path() -> None:
    script = Script(httpx.Response(200, json=LINE))
    script.pico.read_line("../account?x=#")
    assert script.asked[0].url.raw_path == b"/v1/lines/..%2Faccount%3Fx%3D%23"


def test_a_result_shows_no_value_and_passes_over_what_it_does_not_know() -> None:
    line = Script(httpx.Response(200, json=LINE, headers={"ETag": '"3"'})).pico.read_line("1")
    assert (line.label, line.etag) == (SECRET, '"3"')
    assert SECRET not in repr(line)
    assert not hasattr(line, "invented_later")


def test_signing_out_forgets_the_token_and_signing_in_takes_the_new_one() -> None:
    script = Script(httpx.Response(204), httpx.Response(201, json={"token": "new", "session": SESSION}))
    script.pico.sign_out()
    script.pico.sign_in("ada@example.org", SECRET)
    assert [request.headers.get("Authorization") for request in script.asked] == ["Bearer token", None]
    assert script.pico.token == "new"
