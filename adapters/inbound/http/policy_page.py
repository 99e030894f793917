"""The privacy policy as a page: one text in English, and the same from right to left in Hebrew."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape

from adapters.inbound.http.policy_labels import LABELS, LANGUAGES, Labels
from adapters.inbound.http.policy_text import Language, ShownClause, ShownPolicy, State, Words, told

ARTICLE = re.compile(r"\d+(?:\(\w\))+")
"""An article of a law, such as 6(1)(b): it reads from left to right, whatever stands around it."""
LINK = re.compile(r"\[([^\]]+)\]\(#([\w-]+)\)")


def page(policy: ShownPolicy, language: Language) -> str:
    """Return the page in a language; what is not said in it stands there in English, and marked so."""
    labels = LABELS[language]
    title = escape(told(policy.title, language)[1])
    lines = [
        "<!doctype html>",
        f'<html lang="{language}" dir="{labels.direction}">',
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title>",
        '<link rel="stylesheet" href="/style.css">',
        '<main class="policy">',
        f"<nav>{' · '.join(map(_choice, LANGUAGES))}</nav>",
        f"<h1>{title}</h1>",
        f"<p>{labels.last_updated(policy.updated, policy.version)}</p>",
        *([f"<p>{labels.binds}</p>"] if labels.binds else []),
        *_sections(policy, language),
        *_reasons(policy, "declared", labels.declared, language),
        *_reasons(policy, "pending", labels.pending, language),
        *_table(policy.data_map, labels),
        "</main>",
        "</html>",
        "",
    ]
    return "\n".join(lines)


def _choice(language: Language) -> str:
    labels = LABELS[language]
    return f'<a href="?lang={language}" lang="{language}" dir="{labels.direction}">{labels.name}</a>'


def _sections(policy: ShownPolicy, language: Language) -> Iterator[str]:
    states = LABELS[language].states
    for section in policy.sections:
        if section.anchor:  # what stands before the first heading has none
            yield f'<h2 id="{section.anchor}">{_words(section.title, language)}</h2>'
        yield "<ul>"
        for clause in section.clauses:
            mark = f'<small class="{clause.state}">{states[clause.state]}</small>'
            yield f'<li id="{clause.id}">{_name(clause)} {_words(clause.sentence, language)} {mark}</li>'
        yield "</ul>"


ANCHORS = {"declared": "declared", "pending": "not-proved-yet"}
"""Of the headings of what is not proved: those that they have in `PRIVACY.md`."""


def _reasons(policy: ShownPolicy, state: State, title: str, language: Language) -> Iterator[str]:
    """Yield why the clauses of a state are not proved, each with the evidence that is kept, where there is any."""
    labels = LABELS[language]
    found = [clause for clause in policy.clauses if clause.state == state]
    yield f'<h2 id="{ANCHORS[state]}">{title}</h2>'
    if not found:
        yield f"<p>{labels.none}</p>"
        return
    yield "<ul>"
    for clause in found:
        kept = f" <b>{labels.kept}</b> {_words(clause.evidence, language)}" if clause.evidence else ""
        yield f"<li>{_name(clause)} {_words(clause.reason, language)}{kept}</li>"
    yield "</ul>"


def _name(clause: ShownClause) -> str:
    return f'<a href="#{clause.id}"><b><bdi>{clause.id}</bdi></b></a>'


def _words(words: Words, language: Language) -> str:
    """Return words as HTML, their links as links; with their language and direction where those are not the page's."""
    is_in, text = told(words, language)
    html = LINK.sub(r'<a href="#\2">\1</a>', escape(text, quote=False))
    if LABELS[is_in].direction == "rtl":
        html = ARTICLE.sub(r'<bdi dir="ltr">\g<0></bdi>', html)
    return (
        html if is_in == language else f'<span lang="{is_in}" dir="{LABELS[is_in].direction}">{html}</span>'
    )


def _table(rows: Sequence[Sequence[str]], labels: Labels) -> Iterator[str]:
    """Yield the data map: names of ours, which read from left to right in every language."""
    yield f'<h2 id="data-map">{labels.data_map}</h2>'
    yield '<div class="wide">'
    yield "<table>"
    yield "<tr>" + "".join(f"<th>{escape(head)}</th>" for head in labels.columns) + "</tr>"
    for row in rows:
        cells = "".join(f'<td lang="en" dir="ltr">{escape(cell)}</td>' for cell in row)
        yield f"<tr>{cells}</tr>"
    yield "</table>"
    yield "</div>"
