"""Plans in the sandbox: bought on a page, told of by signed webhooks, and over with the account."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.sandbox_process import PASSWORD, Served, until

pytestmark = pytest.mark.xdist_group("sandbox")


@pytest.fixture
def pico() -> Iterator[Served]:
    with tempfile.TemporaryDirectory(prefix="pico sandbox ") as name:
        Path(name).chmod(0o755)
        served = Served(Path(name) / "state")
        yield served
        if served.process.poll() is None:
            served.stop()


def held(pico: Served) -> dict[str, Any]:
    return dict(pico.ask("GET", "/sandbox/providers")[1]["payments"])


def subscription(pico: Served, token: str) -> dict[str, Any]:
    return dict(pico.ask("GET", "/v1/subscription", token=token)[1])


def test_a_plan_is_bought_survives_a_kill_and_ends_with_the_account(pico: Served) -> None:
    plans = pico.ask("GET", "/v1/plans")[1]["items"]
    assert [(plan["plan"], plan["lines_at_most"]) for plan in plans] == [
        ("basic", 1),
        ("plus", 5),
        ("team", 20),
    ]
    ada = pico.person("ada")
    assert subscription(pico, ada)["state"] == "none"
    wanted = {"plan": "team"}
    status, page = pico.ask("POST", "/v1/billing/checkout", wanted, ada, Idempotency_Key="one")
    assert (status, len(held(pico)["checkouts"])) == (200, 1)
    pico.kill()
    pico.start()
    status, again = pico.ask("POST", "/v1/billing/checkout", wanted, ada, Idempotency_Key="one")
    # Where it listens has changed, and with it where the page leads back to: the one before is closed.
    assert (status, again["id"]) == (200, page["id"]), "another page, after a kill"
    assert (held(pico)["customers"], len(held(pico)["checkouts"])) == (1, 1)
    complete = f"/sandbox/checkout/{page['id']}/complete"
    assert pico.ask("POST", complete)[0] == 204
    until(lambda: subscription(pico, ada)["state"] == "active")
    assert subscription(pico, ada)["lines_at_most"] == 20
    assert pico.ask("POST", complete)[0] == 404
    status, problem = pico.ask("POST", "/v1/billing/checkout", wanted, ada, Idempotency_Key="two")
    assert (status, problem["code"]) == (409, "already_subscribed")
    status, changed = pico.ask(
        "POST", "/v1/billing/plan-changes", {"plan": "plus"}, ada, Idempotency_Key="three"
    )
    assert (status, changed["plan"]) == (200, "plus")
    assert pico.ask("POST", "/v1/billing/portal", token=ada)[1]["url"].startswith("http")
    invoices = held(pico)["invoices"]
    assert pico.ask("DELETE", "/v1/account", {"password": PASSWORD}, ada)[0] == 202
    assert pico.ask("POST", "/sandbox/clock", {"advance": "P30D"})[0] == 200
    until(lambda: held(pico)["customers"] == 0)
    assert held(pico) == {"customers": 0, "subscriptions": 0, "checkouts": [], "invoices": invoices}


def test_a_card_that_is_refused_is_told_of_and_nothing_is_sold(pico: Served) -> None:
    ada = pico.person("ada")
    status, knobs = pico.ask("POST", "/sandbox/faults", {"payments": {"declines": True}})
    assert (status, knobs["payments"]["declines"]) == (200, True)
    _, page = pico.ask("POST", "/v1/billing/checkout", {"plan": "basic"}, ada, Idempotency_Key="one")
    assert pico.ask("POST", f"/sandbox/checkout/{page['id']}/complete")[0] == 204
    until(lambda: subscription(pico, ada)["state"] == "incomplete")
    assert pico.ask("POST", "/sandbox/faults", {"payments": {"declines": 7}})[0] == 422
    assert pico.ask("POST", "/sandbox/faults", {"payments": 7})[0] == 422
