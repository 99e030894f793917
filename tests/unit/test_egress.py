"""No port to the outside can be handed what is none of its business, and the error report no text of anybody."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, get_args, get_origin, get_type_hints

import pytest
from structlog.testing import capture_logs

from adapters.error_report import report
from application.egress import MAY_RECEIVE, PLAIN, MustNotLeave, asked_of, must_keep_to
from application.ports.mail import Mail
from application.ports.push import Push
from domain.kernel import CarrierRef
from domain.push import DeviceToken
from domain.values import Email, MessageBody, PersonalText

ROOT = Path(__file__).parents[2]
OURS = {"local", "memory", "pictures", "postgres", "redis", "sealed", "sentry", "several", "system"}
"""The adapters behind which nobody else's service stands; Sentry's is told of errors, and given no port."""


@dataclass
class Parcel:
    contents: list[MessageBody]


class Reports(Protocol):
    async def tell(self, ref: CarrierRef, body: MessageBody | None) -> None: ...


class Wrapped(Protocol):
    async def tell(self, parcels: Sequence[Parcel]) -> None: ...


class AnyText(Protocol):
    async def tell(self, what: str) -> None: ...


class Answers(Protocol):
    async def ask(self, ref: CarrierRef) -> MessageBody: ...


def test_every_port_keeps_to_what_it_may_receive() -> None:
    must_keep_to()


@pytest.mark.parametrize("port", [Reports, Wrapped, AnyText])
def test_a_port_that_asks_for_a_message_is_refused(port: type) -> None:
    with pytest.raises(MustNotLeave, match=port.__name__):
        must_keep_to({port: frozenset({Email})})


def test_what_a_port_answers_does_not_leave() -> None:
    must_keep_to({Answers: frozenset()})


def test_a_port_that_may_receive_less_than_it_asks_for_is_refused() -> None:
    with pytest.raises(MustNotLeave, match=r"Push\.wake: token may not be a DeviceToken"):
        must_keep_to({Push: frozenset()})
    must_keep_to({Push: frozenset({DeviceToken})})


def test_nothing_is_allowed_that_no_port_asks_for() -> None:
    for port, may in MAY_RECEIVE.items():
        asked = list(asked_of(port))
        assert {text for _, _, text in asked if text is not str} == may, port.__name__
        assert {name for _, name, text in asked if text is str} == PLAIN.get(port, frozenset()), port.__name__
    assert MAY_RECEIVE[Mail]


def test_every_port_of_an_adapter_to_the_outside_is_among_them() -> None:
    fulfilled = set[str]()
    folders = [path for path in (ROOT / "adapters" / "outbound").iterdir() if path.is_dir()]
    for folder in folders:
        for module in folder.rglob("*.py") if folder.name not in OURS else ():
            for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef):
                    fulfilled |= {base.id for base in node.bases if isinstance(base, ast.Name)}
    ports = {
        node.name
        for module in (ROOT / "application" / "ports").glob("*.py")
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base) == "Protocol" for base in node.bases)
    }
    # What goes there is ciphertext, fingerprints and counts.
    sealed = {"ByteStore", "OpenBytes", "ErasureLedger"}
    assert {folder.name for folder in folders} >= OURS
    assert {"Mail", "Push"} <= fulfilled
    assert fulfilled & ports - sealed <= {port.__name__ for port in MAY_RECEIVE}


def test_an_error_report_takes_words_of_ours_and_hides_whatever_else_it_is_handed() -> None:
    event = get_type_hints(report)["event"]
    assert get_origin(event) is Literal
    assert all(type(word) is str for word in get_args(event))
    body: PersonalText = MessageBody("see you at noon")
    with capture_logs() as logs:
        report(RuntimeError(), "job failed", job=body, attempt=3)
    (entry,) = logs
    assert (entry["job"], entry["attempt"]) == ("<MessageBody>", 3)
    assert "noon" not in str(logs)
