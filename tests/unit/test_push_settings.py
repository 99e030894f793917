"""By which services devices are woken in Production: by none unless it is set, and never by half of one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from bootstrap.pushing import PushAccess
from bootstrap.settings import BadSettings, ProductionSettings, read_settings
from tests.support.keys import pem
from tests.unit.test_settings import PRODUCTION

RSA = rsa.generate_private_key(65537, 2048)
P256, P384 = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP384R1())
APPLE = {
    "PICO_APNS_KEY_ID": "ABC1234567",
    "PICO_APNS_TEAM_ID": "TEAM123456",
    "PICO_APNS_TOPIC": "io.callpico.app",
}


def account(**changed: Any) -> str:
    said = {
        "project_id": "pico",
        "client_email": "pico@pico.iam.example",
        "private_key": pem(RSA),
        "token_uri": "https://oauth2.example/token",
    }
    return json.dumps({name: value for name, value in (said | changed).items() if value is not None})


def settings(monkeypatch: pytest.MonkeyPatch, **given: str) -> ProductionSettings:
    for name, value in (PRODUCTION | given).items():
        monkeypatch.setenv(name, value)
    return read_settings(ProductionSettings)


def test_nobody_is_woken_unless_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    push = settings(monkeypatch).push
    assert push == PushAccess()
    assert not push.is_any


def test_each_service_is_set_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    push = settings(monkeypatch, PICO_FCM_ACCOUNT=account()).push
    assert push.apns is None
    assert push.fcm is not None
    assert (push.fcm.project.name, push.fcm.url) == ("pico", "https://fcm.googleapis.com")
    assert push.is_any
    push = settings(monkeypatch, PICO_APNS_KEY=pem(P256), **APPLE).push
    assert push.apns is not None
    assert (push.apns.key.team, push.apns.key.key_id, push.apns.key.topic) == (
        "TEAM123456",
        "ABC1234567",
        "io.callpico.app",
    )
    assert push.apns.url == "https://api.push.apple.com"
    assert pem(P256) not in repr(push)
    assert pem(RSA) not in repr(push)


@pytest.mark.parametrize("missing", ["PICO_APNS_KEY", *APPLE])
def test_half_of_what_apple_needs_is_refused(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    given = {"PICO_APNS_KEY": pem(P256), **APPLE}
    del given[missing]
    with pytest.raises(BadSettings, match="PICO_APNS_TOPIC are set together"):
        settings(monkeypatch, **given)


@pytest.mark.parametrize(
    "said",
    ["{}", "[]", "null", "not json", account(private_key="none"), account(private_key=pem(P256))]
    + [account(**{name: None}) for name in ("project_id", "client_email", "token_uri")],
)
def test_a_file_that_no_push_could_be_signed_with_is_refused(
    monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    with pytest.raises(BadSettings, match="PICO_FCM_ACCOUNT takes") as refused:
        settings(monkeypatch, PICO_FCM_ACCOUNT=said)
    assert "PRIVATE KEY" not in str(refused.value)


@pytest.mark.parametrize("key", ["not a key", pem(RSA), pem(P384)])
def test_a_key_that_apple_does_not_take_is_refused(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    with pytest.raises(BadSettings, match="PICO_APNS_KEY takes"):
        settings(monkeypatch, PICO_APNS_KEY=key, **APPLE)
