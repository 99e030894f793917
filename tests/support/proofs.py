"""Proofs of the privacy policy: tests that must pass, and must fail once their rule is switched off."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import pytest

FAILURES: tuple[type[BaseException], ...] = (AssertionError, pytest.fail.Exception)
"""How a test says no; the second is what `refused` does when nothing was refused."""


@dataclass(frozen=True, slots=True)
class Sabotage:
    """One way to break a proof: `saboteur` takes the honest subject and returns it without the rule.

    `says` is what the proof must then say: the message of the one assertion that speaks of what was broken.
    """

    clause: str
    saboteur: Callable[[Any], Any]
    says: str

    def __str__(self) -> str:
        return f"{self.clause}-{self.saboteur.__name__}"

    @contextmanager
    def must_fail(self, proof: str) -> Iterator[None]:
        """Swallow the failure asked for. A crash stays, and a test that fails of something else shows nothing."""
        with must_say(self.says, proof, f"{self.clause} off, thanks to {self.saboteur.__name__}"):
            yield


@contextmanager
def must_say(says: str, proof: str, broken: str) -> Iterator[None]:
    """Swallow the failure whose message is `says`; fail when there is none, or another."""
    try:
        yield
    except FAILURES as failure:
        if said(failure) == says:
            return
        pytest.fail(f"{proof} fails of something else with {broken}: {said(failure)!r} and not {says!r}")
    pytest.fail(f"{proof} cannot fail: it passes with {broken}")


def said(failure: BaseException) -> str:
    """Return the message that an assertion was written with; pytest puts what it saw on the lines after it."""
    return str(failure).partition("\n")[0]


@contextmanager
def refused(error: type[BaseException], says: str) -> Iterator[None]:
    """Say `says` unless the block raises this error."""
    try:
        yield
    except error:
        return
    pytest.fail(says)


def proves(clause: str, *, text: str, saboteur: Callable[[Any], Any], says: str) -> Callable[..., Any]:
    """Declare that a test proves a clause; pytest then runs it honest, and once more sabotaged.

    The test's first parameter is its subject: a fixture, most often `world`, a function that makes worlds. The
    saboteur is a function, named after what it breaks, that takes the subject and returns it with the rule
    switched off, for instance `partial(world, retention=Retention(soft_deleted=timedelta(0)))`. The sabotaged
    run passes only if the test fails at the assertion whose message is `says`: one that fails before it reaches the
    rule proves nothing. A test that proves several clauses is declared once for each; its honest run happens once.

    `text` is the hash of the sentence the test was written for. It is not looked at here:
    `bootstrap.policy.proofs_in` reads it from the source, and `faults` compares.
    """
    sabotage = Sabotage(clause, saboteur, says)

    def declare(test: Callable[..., Any]) -> Callable[..., Any]:
        if declared := test.__dict__.get("runs"):
            declared.append(sabotage)
            return test
        return _both_ways(test, [None, sabotage])

    return declare


def _both_ways(proof: Callable[..., Any], runs: list[Sabotage | None]) -> Callable[..., Any]:
    signature = inspect.signature(proof)
    subject = next(iter(signature.parameters))

    @functools.wraps(proof)
    async def run(*, sabotage: Sabotage | None, **given: Any) -> None:
        if sabotage:
            given[subject] = sabotage.saboteur(given[subject])
        with sabotage.must_fail(proof.__name__) if sabotage else nullcontext():
            result = proof(**given)
            if inspect.isawaitable(result):
                await result

    asked = [*signature.parameters.values(), inspect.Parameter("sabotage", inspect.Parameter.KEYWORD_ONLY)]
    vars(run).update(__signature__=signature.replace(parameters=asked), runs=runs)
    return pytest.mark.parametrize("sabotage", runs, ids=lambda run: str(run or "honest"))(run)
