"""What the API answers when it says no: RFC 9457 problem documents, as one exception."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

PROBLEM_TYPE = "application/problem+json"
NO_PROBLEM = "no_problem_document"
"""The code of an answer that is not Pico's own: of a proxy in front, say."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing wrong with what was sent: where (a JSON pointer, RFC 6901) and what."""

    pointer: str
    code: str


class Problem(Exception):
    """The API said no. Branch on `code`, which is stable; `status` is HTTP's.

    `flaws` say what is wrong with the input, `retry_after` in how many seconds asking again makes sense (None: not by
    itself), and `request_id` is what to quote when asking the operator. None of it repeats a value that was sent.
    """

    def __init__(
        self,
        status: int,
        code: str,
        title: str = "",
        request_id: str = "",
        flaws: tuple[Flaw, ...] = (),
        retry_after: int | None = None,
    ) -> None:
        """Keep it all; the message is the code and the title."""
        super().__init__(f"{code}: {title}" if title else code)
        self.status = status
        self.code = code
        self.title = title
        self.request_id = request_id
        self.flaws = flaws
        self.retry_after = retry_after


def problem_of(answer: httpx.Response) -> Problem:
    """Read the problem in an answer whose body has been read."""
    waiting = answer.headers.get("Retry-After", "")
    retry_after = int(waiting) if waiting.isdecimal() else None
    if answer.headers.get("Content-Type") != PROBLEM_TYPE:
        return Problem(answer.status_code, NO_PROBLEM, retry_after=retry_after)
    said = answer.json()
    return Problem(
        answer.status_code,
        said["code"],
        said["title"],
        said["request_id"],
        tuple(Flaw(flaw["pointer"], flaw["code"]) for flaw in said.get("errors", ())),
        retry_after,
    )
