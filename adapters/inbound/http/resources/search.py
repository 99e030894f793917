"""Finding messages and contacts by the words in them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from adapters.inbound.http.input import Paged
from adapters.inbound.http.json_format import id_cursor
from adapters.inbound.http.params import NOT_BLANK, MaybeLine, MaybeMessage, MaybeTime, Text
from adapters.inbound.http.request import Request
from adapters.inbound.http.resources.contacts import Contact, contact
from adapters.inbound.http.resources.messages import Message, message
from adapters.inbound.http.route import Route
from domain.requests import Pace
from domain.search import Query
from domain.values import Peer

A_QUERY = Text(
    Query.parse, {"minLength": 1, "maxLength": Query.LONGEST, "pattern": r"[^\W_]", "examples": ["noon"]}
)
A_PERSON = Text(Peer.parse, NOT_BLANK | {"examples": ["+13105550178"]})


class SearchOptions(Paged):
    """What to search for, and where."""

    q: Annotated[Query, A_QUERY]
    line_id: MaybeLine = None
    person: Annotated[Peer | None, A_PERSON] = Field(default=None, alias="with")
    before: MaybeTime = None
    after: MaybeTime = None
    cursor: MaybeMessage = None


class Found(TypedDict):
    """What was found: a page of messages, newest first, and contacts beside the first page."""

    items: list[Message]
    contacts: list[Contact]
    next_cursor: str | None


async def search(request: Request[SearchOptions]) -> Found:
    """Search one's own messages and contacts: for all the words, however they are capitalized or pointed."""
    wanted = request.input
    found = await request.use_cases.search(
        request.account_id, wanted.q, line_id=wanted.line_id, peer=wanted.person, after=wanted.after,
        before=wanted.before, place=wanted.cursor, limit=wanted.limit,
    )  # fmt: skip
    return {
        "items": [message(one) for one in found.messages],
        "contacts": [contact(one) for one in found.contacts],
        "next_cursor": id_cursor(found.next) if found.next else None,
    }


ROUTES = (Route("GET", "/v1/search", search, 200, query=SearchOptions, pace=Pace.HEAVY),)
