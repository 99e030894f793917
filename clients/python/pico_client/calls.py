"""How every call is made: with the token, again after a lost answer where that is harmless, page by page."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, Self, TypeVar
from urllib.parse import quote
from uuid import uuid4

import httpx

from pico_client.problems import problem_of
from pico_client.results import read

T = TypeVar("T")

PATIENCE = 30
"""Seconds. Who is told to wait longer is told so."""
FIRST_PAUSE = 0.2
"""Seconds before the first repetition after a broken connection; each further one waits twice as long."""


class Calls:
    """One person's connection. `token` is the session's; signing in sets it, signing out takes it away.

    Raises Problem when the API says no, and httpx.TransportError when no answer came. What is harmless to repeat
    (reading, and whatever has an idempotency key) is tried `attempts` times before.
    """

    def __init__(
        self,
        url: str,
        token: str = "",
        *,
        attempts: int = 3,
        timeout: float = 10.0,
        transport: httpx.BaseTransport | None = None,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        """Nothing is asked yet. `timeout` and `pause` are in seconds; `transport` is for tests and proxies."""
        self.token = token
        self._attempts = attempts
        self._pause = pause
        self._http = httpx.Client(base_url=url, timeout=timeout, transport=transport)

    def __enter__(self) -> Self:
        """Keep the connection open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close the connection. Calling it again is harmless."""
        self._http.close()

    def _ask(self, kind: type[T], method: str, path: str, **asked: Any) -> T:  # noqa: ANN401 - as `_send` takes it
        answer = self._send(method, path, **asked)
        return read(kind, answer.json(), etag=answer.headers.get("ETag"))

    def _list(self, kind: type[T], path: str, **query: object) -> Iterator[T]:
        """Yield what is on all pages; each is asked for when it is reached."""
        cursor = None
        while True:
            page = self._send("GET", path, query=query | {"cursor": cursor}).json()
            for item in page["items"]:
                yield read(kind, item, etag=None)
            if (cursor := page["next_cursor"]) is None:
                return

    def _send(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, object] | None = None,
        file: IO[bytes] | None = None,
        file_type: str = "text/vcard",
        query: Mapping[str, object] | None = None,
        key: str | None = None,
        if_match: str | None = None,
    ) -> httpx.Response:
        request = self._http.build_request(
            method,
            path,
            json=body,
            content=file,
            params=given(**query or {}),
            headers=self._headers(
                {
                    "Idempotency-Key": key,
                    "If-Match": if_match,
                    "Content-Type": None if file is None else file_type,
                }
            ),
        )
        left = self._attempts if method == "GET" or key is not None else 1
        wait = FIRST_PAUSE
        while True:
            left -= 1
            try:
                answer = self._http.send(request)
            except httpx.TransportError:
                if not left:
                    raise
                self._pause(wait)
                wait *= 2
                continue
            if answer.is_success:
                return answer
            problem = problem_of(answer)
            if not left or problem.retry_after is None or problem.retry_after > PATIENCE:
                raise problem
            self._pause(problem.retry_after)

    @contextmanager
    def _stream(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        query: Mapping[str, object] | None = None,
        first: int = 0,
        seen: str | None = None,
        silence: float | None = None,
    ) -> Iterator[httpx.Response]:
        """Give an answer that is read as it comes. `silence`: seconds without a byte after which it counts as dead."""
        wanted = {"Range": f"bytes={first}-" if first else None, "Last-Event-ID": seen}
        request = self._http.build_request(
            method,
            path,
            json=body,
            params=given(**query or {}),
            headers=self._headers(wanted),
            timeout=self._http.timeout if silence is None else silence,
        )
        answer = self._http.send(request, stream=True)
        try:
            if not answer.is_success:
                answer.read()
                raise problem_of(answer)
            yield answer
        finally:
            answer.close()

    def _pieces(self, path: str, body: Mapping[str, object]) -> Iterator[bytes]:
        """Yield a download that may be repeated, from where it broke off, if it did."""
        done, left, wait = 0, self._attempts, FIRST_PAUSE
        while True:
            left -= 1
            try:
                with self._stream("POST", path, body, first=done) as answer:
                    for piece in answer.iter_bytes():
                        done += len(piece)
                        yield piece
            except httpx.TransportError:
                if not left:
                    raise
                self._pause(wait)
                wait *= 2
            else:
                return

    def _headers(self, wanted: Mapping[str, str | None]) -> dict[str, str]:
        headers = {name: said for name, said in wanted.items() if said is not None}
        return headers | {"Authorization": f"Bearer {self.token}"} if self.token else headers


def new_key() -> str:
    """Make a name for one request, under which repeating it does nothing more."""
    return uuid4().hex


def part(of_path: str) -> str:
    """Write an id, or a number, as part of a path."""
    return quote(of_path, safe="")


def given(**fields: object) -> dict[str, Any]:
    """Return what is not None."""
    return {name: value for name, value in fields.items() if value is not None}
