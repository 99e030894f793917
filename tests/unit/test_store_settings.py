"""What an operator sets to have plans sold in the App Store, too: nothing, or all of it."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from adapters.outbound.memory.system import HandClock
from adapters.outbound.stores.simulator import Authority
from bootstrap.settings import BadSettings, ProductionSettings, read_settings
from bootstrap.worlds import InMemory
from domain.billing import PlanName
from tests.unit.test_settings import PRODUCTION, STRIPE

KEY = (
    ec.generate_private_key(ec.SECP256R1())
    .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    .decode()
)


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


def test_nothing_is_sold_there_unless_somebody_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    stores = settings(monkeypatch, {**PRODUCTION, **STRIPE}).stores
    assert not stores.is_any
    world = InMemory()
    assert stores.webhooks(world.use_cases, world.clock.now) == []


def test_what_is_set_is_what_apple_is_asked_and_believed_by(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str]
) -> None:
    stores = settings(monkeypatch, given).stores
    world = InMemory()
    (webhooks,) = stores.webhooks(world.use_cases, world.clock.now)
    assert list(webhooks.endpoints()) == ["/webhooks/app-store"]
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
    apple = settings(monkeypatch, given).stores.apple
    assert apple is not None
    assert apple.api_url == "https://api.storekit-sandbox.apple.com"


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
