"""The documents as a site: built strictly, loading nothing from elsewhere; and what they tell people to type."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest

from benchmarks.forked import run

ROOT = Path(__file__).parents[3]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
BLOCKS = [
    (page, language, block)
    for page in PAGES
    for language, block in re.findall(r"^```(\w+)\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)
]
COMMANDS = sorted({line for _, language, block in BLOCKS if language == "sh" for line in block.splitlines()})
ELSEWHERE = re.compile(r"^(?:[a-z]+:)?//")


class Loads(HTMLParser):
    """What a browser fetches for a page by itself: not where a reader may go on."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.found += [value for name in ("src", "srcset", "data", "poster") if (value := named.get(name))]
        if tag == "link" and (value := named.get("href")):
            self.found.append(value)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [str(ROOT / "pico"), "docs", str(folder)], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert done.stdout == f"{folder}/index.html\n"
    return folder


def test_every_page_is_in_the_site(site: Path) -> None:
    built = {page.relative_to(site).with_suffix("") for page in site.rglob("*.html")}
    assert {page.relative_to(ROOT / "docs").with_suffix("") for page in PAGES} <= built


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    loads = {page: Loads(page.read_text()).found for page in site.rglob("*.html")}
    assert all(loads.values()), "each page has its style at least"
    assert [(page.name, it) for page, found in loads.items() for it in found if ELSEWHERE.match(it)] == []
    for sheet in site.rglob("*.css"):
        for url in re.findall(r"""url\(\s*["']?([^"')]+)|@import\s+["']([^"']+)""", sheet.read_text()):
            assert not ELSEWHERE.match("".join(url)), sheet.name


def test_no_script_knows_an_address_elsewhere(site: Path) -> None:
    known = set()
    for script in site.rglob("*.js"):
        code = re.sub(r"/\*.*?\*/|(?<!:)//[^\n]*", "", script.read_text(), flags=re.DOTALL)
        known |= set(re.findall(r"""https?://[^"'\s)]+""", code))
    assert known <= {"http://www.w3.org/2000/svg"}  # the name of a language, which nobody fetches


def test_drawings_have_a_text_in_their_place(site: Path) -> None:
    concepts = (site / "concepts.html").read_text()
    drawings = re.findall(r"<img[^>]*>", concepts)
    assert len(drawings) == 3
    assert all(re.search(r'alt="[^"]{40,}"', drawing) for drawing in drawings)


def test_what_leads_nowhere_fails_the_build(tmp_path: Path) -> None:
    broken = tmp_path / "docs"
    shutil.copytree(ROOT / "docs", broken)
    for name in ("PRIVACY.md", "RECORDS.md"):
        shutil.copy(ROOT / name, tmp_path)
    conf = (
        (broken / "conf.py")
        .read_text()
        .replace("Path(__file__).resolve().parent.parent", f"Path({str(ROOT)!r})")
    )
    (broken / "conf.py").write_text(conf)
    (broken / "glossary.md").write_text("# Glossary\n\n[nowhere](nowhere.md)\n")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "-q", "-b", "dummy", str(broken), str(tmp_path / "out")],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode != 0
    assert "nowhere" in done.stderr


def test_code_in_python_is_shown_where_it_is_run() -> None:
    shown = {page.name for page, language, _ in BLOCKS if language == "python" and page.parent.name != "adr"}
    run = {"testing-with-pico.md", "replacing-a-provider.md"}
    assert shown == run, "tests/contract/testkit runs the blocks of these pages"


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_shown_exists_with_its_options(line: str) -> None:
    program, *words = shlex.split(line.partition("#")[0].partition(">")[0])
    assert program == "./pico"
    command = [words.pop(0)]
    told = help_of(*command)
    while words and re.search(rf"(?m)^│ {re.escape(words[0])} ", told.partition("─ Commands ─")[2]):
        command.append(words.pop(0))
        told = help_of(*command)
    arguments, _, options = told.partition("─ Options ─")
    listed = arguments.partition("─ Arguments ─")[2]
    least = len(re.findall(r"(?m)^│ [* ] {4}[a-z_]+ ", listed))
    most = least + len(re.findall(r"(?m)^│ {3}\[[A-Z]+\] ", listed))
    taken = 0
    while words:
        word = words.pop(0)
        if not word.startswith("-"):
            taken += 1
            continue
        kind = re.search(rf"(?m)^│ [* ]? *{re.escape(word)}\b.*?<(\w+)>", options)
        assert kind is not None, word
        if kind[1] != "bool":
            assert words, f"{word} needs a value"
            words.pop(0)
    assert least <= taken <= most, "as many arguments as the command takes"


@cache
def help_of(*command: str) -> str:
    told = run("bootstrap", *command, "--help", environment=os.environ, folder=ROOT, timeout=60)
    assert told.returncode == 0, told.stderr[-500:]
    return told.stdout
