"""The privacy policy for people, in their language, and for programs, with the proofs of each clause."""

from __future__ import annotations

import asyncio
from typing import Annotated

from aiohttp import web
from pydantic import WithJsonSchema
from pydantic.json_schema import Examples
from typing_extensions import TypedDict

from adapters.inbound.http.input import Input
from adapters.inbound.http.languages import preferred
from adapters.inbound.http.policy_labels import LANGUAGES
from adapters.inbound.http.policy_page import page
from adapters.inbound.http.policy_text import Language, ShownPolicy, State, told
from adapters.inbound.http.reply import Answer
from adapters.inbound.http.request import Request
from adapters.inbound.http.resources.docs import static
from adapters.inbound.http.route import OPEN, Route
from domain.kernel import NotFound

VARIES = "Accept-Language"


class PolicyOptions(Input):
    """In which language to read; what the header Accept-Language likes best where it is not said."""

    lang: Annotated[
        Language | None, WithJsonSchema({"type": "string", "enum": list(LANGUAGES), "examples": ["he"]})
    ] = None


class PolicyProof(TypedDict):
    """A test that holds a clause."""

    test: str
    saboteur: str
    says: str


class PolicyClause(TypedDict):
    """A sentence of the privacy policy, and what holds it."""

    clause: str
    sentence: str
    language: Language
    state: State
    reason: Annotated[str | None, Examples([None])]
    evidence: str | None
    proofs: list[PolicyProof]


class PrivacyPolicy(TypedDict):
    """The privacy policy in force."""

    policy_version: int
    updated_on: str
    clauses: list[PolicyClause]


async def read_privacy_page(request: Request[PolicyOptions]) -> web.Response:
    """Show the policy to a person. Raises NotFound where the process was started without one."""
    policy, language = await _policy(request), _language(request)
    answer = static(page(policy, language).encode(), "text/html; charset=utf-8")
    answer.headers.update({"Content-Language": language, "Vary": VARIES})
    return answer


async def read_privacy_policy(request: Request[PolicyOptions]) -> Answer[PrivacyPolicy]:
    """Read the privacy policy: each clause, where it stands, and what proves it. English binds."""
    policy, language = await _policy(request), _language(request)
    clauses: list[PolicyClause] = []
    for clause in policy.clauses:
        is_in, sentence = told(clause.sentence, language)
        clauses.append({
            "clause": clause.id, "sentence": sentence, "language": is_in, "state": clause.state,
            "reason": told(clause.reason, language)[1] or None,
            "evidence": told(clause.evidence, language)[1] or None,
            "proofs": [
                {"test": one.test, "saboteur": one.saboteur, "says": one.says} for one in clause.proofs
            ],
        })  # fmt: skip
    said: PrivacyPolicy = {
        "policy_version": policy.version,
        "updated_on": policy.updated.isoformat(),
        "clauses": clauses,
    }
    return Answer(said, {"Vary": VARIES})


async def _policy(request: Request[PolicyOptions]) -> ShownPolicy:
    if request.context.published is None:
        raise NotFound
    return await asyncio.to_thread(request.context.published)  # the first time, it reads some files


def _language(request: Request[PolicyOptions]) -> Language:
    return request.input.lang or preferred(request.headers.get(VARIES, ""), LANGUAGES)


ROUTES = (
    Route(
        "GET", "/legal/privacy", read_privacy_page, 200, query=PolicyOptions, guards=OPEN, raises=(NotFound,),
        hidden=True,
    ),
    Route(
        "GET", "/legal/privacy.json", read_privacy_policy, 200, query=PolicyOptions, guards=OPEN, raises=(NotFound,),
        headers={"Vary": "The header of the request that the answer follows."},
    ),
)  # fmt: skip
