"""One word for one idea: public names use no synonym that the glossary rules out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = ("domain", "application", "adapters", "bootstrap")
ROW = re.compile(r"\| (?P<word>[^|]+) \| (?P<meaning>[^|]+) \| (?P<banned>[^|]*)\|\Z")
CARRIERS = ("adapters/outbound/twilio/", "adapters/inbound/webhooks/")
"""Where a provider's own words are spoken."""
BANNED = {
    "Standing", "Leaving", "Goodbye", "Prior", "Thread", "Vault", "Sealer", "Ticket", "House", "Fault",
    "Swept", "Notes", "Strays", "Leftovers", "Tally", "Texts", "Manager", "Service", "Impl", "Utils",
}  # fmt: skip
RIDDLES = re.compile(
    r"\bDo it\b|\ASee [`A-Z]|\bways? in\b|as dear|a crowd|let(s|ting)? go\b|\bfor good\b|not ours \(any more\)"
)


def words_of(name: str) -> set[str]:
    """Split a name into its words, each with a capital."""
    return {
        word.capitalize() for part in name.split("_") for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", part)
    }


def modules() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


MODULES = dict(modules())


def names_in(tree: ast.Module) -> Iterator[str]:
    """Yield the public names that a module defines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


@pytest.mark.parametrize("path", [path for path in MODULES if not path.startswith(CARRIERS)])
def test_public_names_use_the_glossarys_words(path: str) -> None:
    stem = Path(path).stem
    named = {name for name in (stem, *names_in(MODULES[path])) if not name.startswith("_")}
    assert {name: words_of(name) & BANNED for name in named if words_of(name) & BANNED} == {}


@pytest.mark.parametrize("path", MODULES)
def test_docstrings_name_the_effect_in_plain_words(path: str) -> None:
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    said = [ast.get_docstring(node) or "" for node in ast.walk(MODULES[path]) if isinstance(node, documented)]
    assert [text.splitlines()[0] for text in said if RIDDLES.search(text)] == []


def test_the_glossary_tells_each_word_once() -> None:
    lines = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").splitlines()
    rows = [match for line in lines if (match := ROW.match(line)) and match["word"].strip("- ") != ""]
    words = [row["word"] for row in rows if row["word"] not in {"word", "verb"}]
    assert len(words) == len(set(words)) >= 40
