"""The first page leads everywhere, and loads nothing that is not ours."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from bootstrap.policy import POLICY
from tests.support.http_world import HttpWorld


class Outline(HTMLParser):
    """What a page is made of: the elements that were opened, with their attributes."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def attributes(self, name: str) -> list[str]:
        return [value for _, held in self.found if (value := held.get(name))]


@pytest.mark.parametrize("sandbox", [True, False])
async def test_the_first_page_leads_to_documentation_policy_and_what_there_is_of_a_sandbox(
    sandbox: bool,
) -> None:
    async with HttpWorld.running(sandbox=sandbox) as http:
        answer = await http.call("GET", "/")
        assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        leads = Outline(answer.body).attributes("href")
        assert {"/docs", "/openapi.json", "/privacy"} <= set(leads)
        assert any(to.startswith("/sandbox/") for to in leads) == sandbox
        for to in leads:
            assert (await http.call("GET", to.partition("#")[0])).status == 200, to


async def test_the_first_page_says_its_language_and_title_and_has_one_heading() -> None:
    async with HttpWorld.running(sandbox=True) as http:
        page = (await http.call("GET", "/")).body
    outline = Outline(page)
    tags = [tag for tag, _ in outline.found]
    assert ("html", {"lang": "en"}) in outline.found
    assert [tags.count(tag) for tag in ("title", "main", "h1")] == [1, 1, 1]
    assert re.search(rb"<title>\S", page)


async def test_the_first_page_loads_nothing_from_elsewhere_and_needs_nothing_its_policy_forbids() -> None:
    async with HttpWorld.running(sandbox=True) as http:
        answer = await http.call("GET", "/")
    assert "default-src 'none'" in (policy := answer.headers["Content-Security-Policy"])
    assert "unsafe" not in policy
    outline = Outline(answer.body)
    assert not {"script", "style", "iframe", "form"} & {tag for tag, _ in outline.found}
    assert outline.attributes("style") == []
    assert b"//" not in answer.body


async def test_the_policy_is_shown_as_it_is_written() -> None:
    async with HttpWorld.running() as http:
        answer = await http.call("GET", "/privacy")
    assert (answer.status, answer.body) == (200, POLICY.read_bytes())
