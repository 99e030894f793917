"""How the documents become a site: `./pico docs`. What the code knows better than a writer is taken from it."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from adapters.inbound.http import openapi, problems  # noqa: E402
from adapters.inbound.http.refusals import refusals  # noqa: E402
from adapters.inbound.http.routes import ROUTES, SANDBOX_ROUTES  # noqa: E402
from bootstrap.settings import variables  # noqa: E402


def operations() -> str:
    """Return a table of every operation."""
    rows = ["| operation | what it does | well done |", "|---|---|---|"]
    for path, methods in openapi.document(ROUTES + SANDBOX_ROUTES)["paths"].items():
        for method, operation in methods.items():
            done = ", ".join(status for status in operation["responses"] if status.startswith("2"))
            rows.append(f"| `{method.upper()} {path}` | {operation['summary']} | {done} |")
    return "\n".join(rows)


def codes() -> str:
    """Return a table of every problem's code."""
    shown = [route for route in ROUTES + SANDBOX_ROUTES if not route.hidden]
    found = {refusal for route in shown for refusal in refusals(route)}
    rows = sorted(
        f"| `{refusal.code}` | {problems.status_of(refusal)} | {problems.title(refusal)} |"
        for refusal in found
    )
    return "\n".join(["| code | status | meaning |", "|---|---|---|", *rows])


def settings() -> str:
    """Return a table of every variable, without this machine's folders."""
    rows = [f"| `{name}` | {says.replace(str(ROOT), 'the checkout')} |" for name, says in variables().items()]
    return "\n".join(["| variable | |", "|---|---|", *rows])


project = "Pico"
html_title = "Pico"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["README.md"]
myst_heading_anchors = 3
myst_enable_extensions = ["substitution"]
myst_substitutions = {"operations": operations(), "codes": codes(), "variables": settings()}

html_theme = "furo"
html_theme_options = {"footer_icons": []}
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
html_static_path: list[str] = []
templates_path: list[str] = []
nitpicky = True
