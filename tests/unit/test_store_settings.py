"""What an operator sets to have plans sold in an app store, too: nothing, or all that a store needs."""

from __future__ import annotations

import json
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from adapters.google_access import GoogleAccount
from adapters.outbound.memory.system import HandClock
from adapters.outbound.stores.simulator import Authority
from bootstrap.settings import BadSettings, ProductionSettings, read_settings
from bootstrap.stores import GooglePlayAccess, StoreAccess
from bootstrap.worlds import InMemory
from domain.billing import PlanName
from tests.support.keys import pem
from tests.unit.test_settings import PRODUCTION, STRIPE

PUBLIC = "https://api.example"
KEY = pem(ec.generate_private_key(ec.SECP256R1()))
RSA_KEY = pem(rsa.generate_private_key(65537, 2048))
GOOGLE = {
    **PRODUCTION, **STRIPE,
    "PICO_GOOGLE_PLAY_PACKAGE": "io.callpico.app",
    "PICO_GOOGLE_PLAY_PRODUCTS": "pico.basic.monthly=basic",
    "PICO_GOOGLE_PLAY_ACCOUNT": json.dumps(
        {"client_email": "play@pico.example", "private_key": RSA_KEY, "token_uri": "https://oauth2.example/token"}
    ),
    "PICO_GOOGLE_PLAY_PUSH_ACCOUNT": "push@pico.example",
}  # fmt: skip


@pytest.fixture
def given(tmp_path: Path) -> dict[str, str]:
    roots = tmp_path / "roots.pem"
    roots.write_bytes(Authority.made(HandClock().now()).pem)
    return {
        **PRODUCTION, **STRIPE,
        "PICO_APP_STORE_BUNDLE": "io.callpico.app",
        "PICO_APP_STORE_PRODUCTS": "pico.basic.monthly=basic,pico.plus.monthly=plus",
        "PICO_APP_STORE_ROOTS": str(roots),
        "PICO_APP_STORE_ISSUER": "01234567-89ab-cdef-0123-456789abcdef",
        "PICO_APP_STORE_KEY_ID": "ABC1234567",
        "PICO_APP_STORE_KEY": KEY,
    }  # fmt: skip


def settings(monkeypatch: pytest.MonkeyPatch, given: dict[str, str]) -> ProductionSettings:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return read_settings(ProductionSettings, MappingProxyType({}))


def paths(stores: StoreAccess) -> list[str]:
    """Return where the stores call."""
    world = InMemory()
    session: Any = None  # nobody is asked
    return [
        path
        for each in stores.webhooks(world.use_cases, session, world.clock.now)
        for path in each.endpoints()
    ]


def test_nothing_is_sold_there_unless_somebody_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    stores = settings(monkeypatch, {**PRODUCTION, **STRIPE}).stores(PUBLIC)
    assert stores == StoreAccess()
    assert paths(stores) == []


def test_what_is_set_is_what_apple_is_asked_and_believed_by(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str]
) -> None:
    stores = settings(monkeypatch, given).stores(PUBLIC)
    assert paths(stores) == ["/webhooks/app-store"]
    assert stores.apple is not None
    assert stores.apple.plans == {
        "pico.basic.monthly": PlanName.BASIC,
        "pico.plus.monthly": PlanName.PLUS,
    }
    assert (stores.apple.api_url, stores.apple.app.environment) == (
        "https://api.storekit.apple.com",
        "Production",
    )
    assert KEY not in repr(stores)
    monkeypatch.setenv("PICO_APP_STORE_ENVIRONMENT", "Sandbox")
    apple = settings(monkeypatch, given).app_store
    assert apple is not None
    assert apple.api_url == "https://api.storekit-sandbox.apple.com"


def test_what_is_set_is_what_google_is_asked_and_believed_by(monkeypatch: pytest.MonkeyPatch) -> None:
    stores = settings(monkeypatch, GOOGLE).stores(PUBLIC)
    assert paths(stores) == ["/webhooks/google-play"]
    assert stores.apple is None
    assert stores.google == GooglePlayAccess(
        account=GoogleAccount("play@pico.example", RSA_KEY, "https://oauth2.example/token"),
        package="io.callpico.app",
        plans={"pico.basic.monthly": PlanName.BASIC},
        push_account="push@pico.example",
        audience=f"{PUBLIC}/webhooks/google-play",
        api_url="https://androidpublisher.googleapis.com",
        keys_url="https://www.googleapis.com/oauth2/v3/certs",
    )
    assert RSA_KEY not in repr(stores)
    said = settings(
        monkeypatch,
        GOOGLE | {"PICO_GOOGLE_PLAY_AUDIENCE": "ours", "PICO_GOOGLE_PLAY_TESTS": "true"},
    ).google_play(PUBLIC)
    assert said is not None
    assert (said.audience, said.tests) == ("ours", True)


def test_both_stores_may_sell(monkeypatch: pytest.MonkeyPatch, given: dict[str, str]) -> None:
    stores = settings(monkeypatch, given | GOOGLE).stores(PUBLIC)
    assert paths(stores) == ["/webhooks/app-store", "/webhooks/google-play"]


@pytest.mark.parametrize("missing", ["PACKAGE", "PRODUCTS", "ACCOUNT", "PUSH_ACCOUNT"], ids=str.lower)
def test_half_of_googles_does_not_start(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    given = {name: value for name, value in GOOGLE.items() if name != f"PICO_GOOGLE_PLAY_{missing}"}
    with pytest.raises(BadSettings, match="PUSH_ACCOUNT are set together, beside PICO_STRIPE_API_KEY"):
        settings(monkeypatch, given)


def test_nor_does_all_of_googles_without_stripe(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadSettings, match="PUSH_ACCOUNT are set together, beside PICO_STRIPE_API_KEY"):
        settings(monkeypatch, {name: value for name, value in GOOGLE.items() if name not in STRIPE})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ACCOUNT", "s3cret"), ("ACCOUNT", "[7]"), ("ACCOUNT", "{}"), ("PACKAGE", "?"), ("PRODUCTS", "?"),
        ("PUSH_ACCOUNT", "?"), ("AUDIENCE", "a b"), ("API_URL", "?"), ("KEYS_URL", "?"),
    ],
)  # fmt: skip
def test_what_could_never_work_at_google_is_refused_and_not_quoted(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(BadSettings, match=f"PICO_GOOGLE_PLAY_{name} takes") as refusal:
        settings(monkeypatch, GOOGLE | {f"PICO_GOOGLE_PLAY_{name}": value})
    assert value not in str(refusal.value)


@pytest.mark.parametrize("missing", ["BUNDLE", "PRODUCTS", "ROOTS", "ISSUER", "KEY_ID", "KEY"], ids=str.lower)
def test_half_of_it_does_not_start(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], missing: str
) -> None:
    del given[f"PICO_APP_STORE_{missing}"]
    with pytest.raises(BadSettings, match="are set together, beside PICO_STRIPE_API_KEY"):
        settings(monkeypatch, given)


def test_nor_does_all_of_it_without_stripe(monkeypatch: pytest.MonkeyPatch, given: dict[str, str]) -> None:
    for name in STRIPE:
        del given[name]
    with pytest.raises(BadSettings, match="beside PICO_STRIPE_API_KEY"):
        settings(monkeypatch, given)


@pytest.mark.parametrize(
    ("name", "value"), [("ROOTS", "/nowhere.pem"), ("ROOTS", __file__), ("KEY", "s3cret"), ("BUNDLE", "?")]
)
def test_what_could_never_work_is_refused_and_not_quoted(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], name: str, value: str
) -> None:
    with pytest.raises(BadSettings, match=f"PICO_APP_STORE_{name} takes") as refusal:
        settings(monkeypatch, given | {f"PICO_APP_STORE_{name}": value})
    assert value not in str(refusal.value)
