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
"""How a test says no; the second is also what `pytest.raises` does when nothing was raised."""


@dataclass(frozen=True, slots=True)
class Sabotage:
    """One way to break a proof: `saboteur` takes the honest subject and returns it without the rule."""

    clause: str
    saboteur: Callable[[Any], Any]
    fails_with: tuple[type[Exception], ...]

    def __str__(self) -> str:
        return f"{self.clause}-{self.saboteur.__name__}"

    @contextmanager
    def must_fail(self, proof: str) -> Iterator[None]:
        """Swallow the failure asked for. Any other error stays: a saboteur that only crashes shows nothing."""
        try:
            yield
        except FAILURES + self.fails_with:
            return
        pytest.fail(
            f"{proof} cannot fail: it passes with {self.clause} off, thanks to {self.saboteur.__name__}"
        )


def proves(
    clause: str, *, text: str, saboteur: Callable[[Any], Any], fails_with: tuple[type[Exception], ...] = ()
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare that a test proves a clause; pytest then runs it honest, and once more sabotaged.

    The test's first parameter is its subject: a fixture, most often `world`, a function that makes worlds. The
    saboteur is a function, named after what it breaks, that takes the subject and returns it with the rule
    switched off, for instance `partial(world, retention=Retention(soft_deleted=timedelta(0)))`. The sabotaged
    run passes only if the test fails: with AssertionError, a `pytest.raises` that saw nothing, or one of
    `fails_with`. A test that proves several clauses is declared once for each; its honest run happens once.

    `text` is the hash of the sentence the test was written for. It is not looked at here:
    `bootstrap.policy.proofs_in` reads it from the source, and `faults` compares.
    """
    sabotage = Sabotage(clause, saboteur, fails_with)

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
