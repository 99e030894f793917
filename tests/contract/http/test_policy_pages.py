"""The policy for people in two languages, and for programs with the proofs of each clause."""

from __future__ import annotations

import re
from datetime import date
from html.parser import HTMLParser

import pytest

from adapters.inbound.http.languages import preferred
from adapters.inbound.http.policy_page import page
from adapters.inbound.http.policy_text import ShownClause, ShownPolicy, ShownSection, State, Words
from bootstrap.policy import IF_CONFIGURED, POLICY, PROOFS, TELNYX, Verdict, declared_proofs, judge, parse
from bootstrap.publication import published, sections
from tests.support.http_world import HttpWorld

CLAUSES = parse(POLICY.read_text(encoding="utf-8"))
VOID = {"meta", "link"}


class Tree(HTMLParser):
    """A page, read strictly: every element that is opened is closed, in order. Knows ids, links and languages."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.languages: list[tuple[str, str | None, str | None]] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        self.ids += [held["id"] or ""] if "id" in held else []
        self.links += [held["href"] or ""] if "href" in held else []
        if "lang" in held:
            self.languages.append((tag, held["lang"], held.get("dir")))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize(
    ("ask", "header", "language", "direction", "updated"),
    [
        ("", "", "en", "ltr", "Last updated: 29 November 2026, version 3."),
        ("", "he-IL,he;q=0.9,en;q=0.8", "he", "rtl", "עודכן לאחרונה: 29 בנובמבר 2026, גרסה 3."),
        ("?lang=he", "en", "he", "rtl", "עודכן לאחרונה: 29 בנובמבר 2026, גרסה 3."),
        ("?lang=en", "he", "en", "ltr", "Last updated: 29 November 2026, version 3."),
    ],
)
async def test_a_reader_gets_every_clause_in_their_language(
    ask: str, header: str, language: str, direction: str, updated: str
) -> None:
    async with HttpWorld.running() as http:
        answer = await http.call("GET", f"/legal/privacy{ask}", headers={"Accept-Language": header})
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert (answer.headers["Content-Language"], answer.headers["Vary"]) == (language, "Accept-Language")
    text = answer.body.decode()
    tree = Tree(text)
    assert tree.languages[0] == ("html", language, direction)
    assert updated in text
    assert {clause.id for clause in CLAUSES} <= set(tree.ids)
    assert len(tree.ids) == len(set(tree.ids))
    inside = {link.removeprefix("#") for link in tree.links if link.startswith("#")}
    assert inside <= set(tree.ids), "a link leads nowhere"
    assert set(tree.links) - {f"#{one}" for one in inside} == {"/style.css", "?lang=en", "?lang=he"}


async def test_what_a_program_reads_is_what_pico_policy_prints() -> None:
    async with HttpWorld.running() as http:
        answer = await http.call("GET", "/legal/privacy.json")
        hebrew = await http.call("GET", "/legal/privacy.json?lang=he")
    said = answer.json
    assert (said["policy_version"], said["updated_on"]) == (3, "2026-11-29")
    judged = judge(CLAUSES, declared_proofs(PROOFS))
    assert {
        one["clause"]: (one["sentence"], one["state"], len(one["proofs"])) for one in said["clauses"]
    } == {
        status.clause.id: (status.clause.text, status.verdict.value, len(status.proofs)) for status in judged
    }
    assert all(status.verdict in {Verdict.PROVED, Verdict.DECLARED, Verdict.PENDING} for status in judged)
    for one, other in zip(said["clauses"], hebrew.json["clauses"], strict=True):
        assert (one["state"] == "proved") == (one["reason"] is None)
        assert (one["state"] == "declared") == (one["evidence"] is not None)
        assert (one["clause"], one["state"], one["proofs"]) == (
            other["clause"],
            other["state"],
            other["proofs"],
        )
        assert (one["language"], other["language"]) == ("en", "he")
        assert re.search("[א-ת]", other["sentence"])


async def test_another_language_than_the_two_is_refused_when_asked_for() -> None:
    async with HttpWorld.running() as http:
        answer = await http.call("GET", "/legal/privacy?lang=fr")
    assert answer.status == 422


@pytest.mark.parametrize("path", ["/legal/privacy", "/legal/privacy.json"])
async def test_a_process_without_a_policy_has_none_to_show(path: str) -> None:
    async with HttpWorld.running(publishes=False) as http:
        assert (await http.call("GET", path)).code == "not_found"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"), ("he", "he"), ("iw-IL", "he"), ("HE-il", "he"), ("fr, he;q=0.5", "he"),
        ("en;q=0.4, he;q=0.5", "he"),
        ("en, he", "en"), ("he, en", "en"), ("*", "en"), ("en;q=0, *", "he"), ("he;q=2", "en"), ("he;q=0.9999", "en"),
        ("fr", "en"), ("he;q=x, en", "en"), (";;;,,,", "en"), ("de," * 9999 + "he", "en"), ("h" * 9999, "en"),
    ],
)  # fmt: skip
def test_the_header_says_which_language_is_liked_best(header: str, language: str) -> None:
    assert preferred(header, ("en", "he")) == language


def test_what_holds_where_telnyx_is_configured_is_published_there_only() -> None:
    everywhere = {clause.id for clause in published(IF_CONFIGURED - {TELNYX})().clauses}
    only_there = {clause.id for clause in published(IF_CONFIGURED)().clauses} - everywhere
    assert only_there == set(sections(POLICY.read_text(encoding="utf-8"))[TELNYX.removeprefix("## ")])
    assert "S6" in only_there


def test_every_clause_stands_under_its_heading() -> None:
    found = sections("# T\n\n- **H1** One.\n\n## Two\n\n- **A1** Two.\n  More.\n- **A2** Three.\n")
    assert found == {"": ["H1"], "Two": ["A1", "A2"]}


def shown(sentence: str, state: State = "proved", hebrew: str = "") -> ShownPolicy:
    words: Words = {"en": sentence, "he": hebrew} if hebrew else {"en": sentence}
    clause = ShownClause(id="T9", sentence=words, state=state, reason={"en": "Why <."}, evidence={})
    section = ShownSection("one", {"en": "One"}, [clause])
    return ShownPolicy(
        version=1, updated=date(2026, 2, 1), title={"en": "P"}, sections=[section], data_map=[["<"]]
    )


def test_a_page_escapes_what_it_shows_and_marks_what_is_in_another_language() -> None:
    text = page(shown('It <b>is</b> & "so"; see [Declared](#declared).'), "he")
    assert (
        '<span lang="en" dir="ltr">It &lt;b&gt;is&lt;/b&gt; &amp; "so"; see <a href="#declared">Declared</a>.</span>'
    ) in text
    assert '<td lang="en" dir="ltr">&lt;</td>' in text
    assert "מוכח" in text
    law = page(shown("Article 6(1)(b).", hebrew="סעיף 6(1)(b)."), "he")
    assert 'סעיף <bdi dir="ltr">6(1)(b)</bdi>.' in law
    waits = page(shown("It waits.", "pending", "ממתין."), "he")
    assert "ממתין." in waits
    assert '<span lang="en" dir="ltr">Why &lt;.</span>' in waits
    Tree(text)
    Tree(waits)
