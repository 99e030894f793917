"""What an operator may set, and what nobody may."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from adapters.outbound.system.passwords import LEAST, PasswordCost
from application.guesses import GUESSES
from application.mail import MAILS
from bootstrap.settings import (
    BadSettings,
    ProductionSettings,
    Settings,
    chosen_world,
    read_settings,
    variable,
    variables,
)
from bootstrap.worlds.production import telnyx_access
from domain.billing import Offer, Offers, PlanName
from domain.entitlements import Plan
from domain.limits import Limit
from domain.money import Money
from domain.spend import SpendPolicy

LEAST_SET = {"PICO_PASSWORD_MEMORY_MIB": "19", "PICO_PASSWORD_PASSES": "2", "PICO_PASSWORD_LANES": "1"}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in [*LEAST_SET, *map(variable, ProductionSettings.model_fields)]:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_a_password_costs_what_rfc_9106_recommends_unless_told_otherwise(
    environment: pytest.MonkeyPatch,
) -> None:
    assert read_settings(Settings).password_cost == PasswordCost(memory_mib=64, passes=3, lanes=4)
    for name, value in LEAST_SET.items():
        environment.setenv(name, value)
    assert read_settings(Settings).password_cost == LEAST == PasswordCost(memory_mib=19, passes=2, lanes=1)


@pytest.mark.parametrize("name", LEAST_SET)
def test_nothing_starts_with_passwords_below_the_minimum(environment: pytest.MonkeyPatch, name: str) -> None:
    environment.setenv(name, str(int(LEAST_SET[name]) - 1))
    with pytest.raises(BadSettings, match=name):
        read_settings(Settings)


FREE = {
    "state_dir", "backup_dir", "objects_bucket", "ledger_bucket",
    "twilio_auth_token", "twilio_key_secret", "telnyx_api_key", "sendgrid_api_key",
    "stripe_api_key", "stripe_webhook_secrets", "aws_name",
    "fcm_account", "apns_key", "app_store_key",  # a good one has blanks: test_push_settings.py, test_store_settings.py
    "google_play_account",  # the same
    "app_store_roots",  # names a file that is there
    "google_play_audience",
}  # fmt: skip
REFUSING = [name for name in ProductionSettings.model_fields if name not in FREE]
"""Of the others every value is one, but none at all."""


@pytest.mark.parametrize("name", REFUSING)
def test_a_bad_value_is_not_shown_and_the_answer_says_which_would_be_good(
    environment: pytest.MonkeyPatch, name: str
) -> None:
    environment.setenv(variable(name), "s3cret")
    with pytest.raises(BadSettings) as refused:
        read_settings(ProductionSettings)
    assert "s3cret" not in str(refused.value)
    (good,) = re.findall(
        rf"{variable(name)} takes (?:a whole number from|a whole number of at least|something like) (\S+)",
        str(refused.value),
    )
    environment.setenv(variable(name), good.rstrip("."))
    with pytest.raises(BadSettings) as refused:  # for the others that are not set
        read_settings(ProductionSettings)
    assert f"{variable(name)} takes" not in str(refused.value)


def test_a_world_there_is_not_is_answered_with_those_there_are(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PICO_WORLD", "s3cret")
    with pytest.raises(BadSettings, match=r"^PICO_WORLD takes sandbox or production\.$"):
        chosen_world()


def test_an_option_goes_before_the_variable_and_a_bad_one_is_called_as_it_was_given(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("PICO_PORT", "1")
    assert read_settings(Settings, {"port": "2", "state_dir": "here"}).port == 2
    with pytest.raises(BadSettings, match=r"^--port takes a whole number from 0 to 65535\.$"):
        read_settings(Settings, {"port": "s3cret"})


def test_readme_names_every_variable() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    table = readme[readme.index("| variable |") :].partition("\n\n")[0]
    named = set()
    for cell in re.findall(r"^\| (`.*?`) \|", table, re.MULTILINE):
        names = re.findall(r"`(.*?)`", cell)
        stem = names[0].rpartition("_")[0].rpartition("_")[0]
        named |= {name.replace("…", stem) for name in names}
    assert named == set(variables())


TELNYX = {
    "PICO_TELNYX_API_KEY": "s3cret",
    "PICO_TELNYX_PUBLIC_KEYS": "TW9h/kTLNQ91bryXL6+REUjjhqoY/GtS0CjFVyKZV1Q=",
}
PRODUCTION = {
    "PICO_KMS_KEY_ID": "alias/pico",
    "PICO_OBJECTS_BUCKET": "pico-objects",
    "PICO_LEDGER_BUCKET": "pico-ledger",
    "PICO_SENDGRID_API_KEY": "s3cret",
    "PICO_SENDGRID_WEBHOOK_KEYS": (
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEs08kbmhwZ/I2wakOVL7+EHrwoxAe/7VE7ghiAKlM3ndkswOf"
        "q31Qidhz4PJnaMlvu++ckSYeOQwOSeQCQ/+gNQ=="
    ),
    "PICO_MAIL_FROM": "hello@pico.example",
    "PICO_APP_URL": "https://app.example",
    "PICO_DATABASE_URL": "postgresql://u:s3cret@db.example/pico",
    "PICO_KEYRING_URL": "postgresql://u:s3cret@keys.example/keys",
    "PICO_PUBLIC_URL": "https://api.example",
    "PICO_TWILIO_ACCOUNT_SID": "AC" + "a" * 32,
    "PICO_TWILIO_AUTH_TOKEN": "s3cret",
}


@pytest.mark.parametrize(
    "given", [{"PICO_TELNYX_COUNTRIES": "GB"}, *({name: value} for name, value in TELNYX.items())]
)
def test_half_of_what_telnyx_needs_is_refused(environment: pytest.MonkeyPatch, given: dict[str, str]) -> None:
    for name, value in (PRODUCTION | given).items():
        environment.setenv(name, value)
    with pytest.raises(BadSettings, match="PICO_TELNYX_API_KEY and PICO_TELNYX_PUBLIC_KEYS") as refused:
        read_settings(ProductionSettings)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("countries", ["", "GB", "GB,CA"])
def test_telnyx_is_there_once_it_is_configured_even_for_old_lines_only(
    environment: pytest.MonkeyPatch, countries: str
) -> None:
    assert telnyx_access(production(environment)) is None
    access = telnyx_access(production(environment, **TELNYX, PICO_TELNYX_COUNTRIES=countries))
    assert access is not None
    assert sorted(access.countries) == sorted(filter(None, countries.split(",")))
    assert "s3cret" not in repr(access)


def production(environment: pytest.MonkeyPatch, **given: str) -> ProductionSettings:
    for name, value in (PRODUCTION | given).items():
        environment.setenv(name, value)
    return read_settings(ProductionSettings)


@pytest.mark.parametrize("most", [1_000, 10_000, 10**7])
def test_whatever_is_set_no_count_lasts_longer_than_the_policy_says(
    environment: pytest.MonkeyPatch, most: int
) -> None:
    environment.setenv("PICO_SPEND_A_DAY", str(most))
    for policy in (SpendPolicy(), read_settings(Settings).spend_policy):
        counted = [value for each in fields(policy) if isinstance(value := getattr(policy, each.name), Limit)]
        assert len(counted) == 5
        for limit in (*counted, GUESSES, MAILS):
            assert limit.room <= timedelta(days=2), limit.name


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("redis://127.0.0.1:6379", True),
        ("rediss://:p%40ss@redis.example:6379/0", True),
        ("rediss://pico:pass@redis.example?ssl_ca_certs=/etc/ca.pem", True),
        ("rediss://redis.example?ssl_cert_reqs=none", False),
        ("rediss://redis.example?ssl_check_hostname=0", False),
        ("rediss://redis.example/keys", False),
        ("http://redis.example", False),
        ("redis://", False),
        ("redis://redis.example:0", False),
        ("unix:///run/redis.sock", False),
    ],
)
def test_a_redis_is_reached_by_its_address_and_its_certificate_is_always_looked_at(
    url: str, good: bool
) -> None:
    given: dict[str, Any] = {"redis_url": url} | dict.fromkeys(
        name for name, field in ProductionSettings.model_fields.items() if field.is_required()
    )
    with pytest.raises(ValidationError) as refused:
        ProductionSettings(**given)
    assert ("redis_url" in {fault["loc"][0] for fault in refused.value.errors()}) is not good


STRIPE = {
    "PICO_STRIPE_API_KEY": "sk_s3cret",
    "PICO_STRIPE_WEBHOOK_SECRETS": "whsec_s3cret",
    "PICO_PLANS": "basic=price_1:499USD:1,plus=price_2:1299USD:5",
}


@pytest.mark.parametrize("missing", STRIPE)
def test_half_of_stripe_does_not_start(environment: pytest.MonkeyPatch, missing: str) -> None:
    for name, value in (PRODUCTION | STRIPE).items():
        environment.setenv(name, value)
    environment.delenv(missing)
    with pytest.raises(BadSettings, match="PICO_STRIPE_WEBHOOK_SECRETS") as refused:
        read_settings(ProductionSettings)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("secrets", [",", "whsec_a,"])
def test_an_empty_secret_is_none(environment: pytest.MonkeyPatch, secrets: str) -> None:
    for name, value in (PRODUCTION | STRIPE | {"PICO_STRIPE_WEBHOOK_SECRETS": secrets}).items():
        environment.setenv(name, value)
    with pytest.raises(BadSettings, match="PICO_STRIPE_WEBHOOK_SECRETS"):
        read_settings(ProductionSettings)


def test_where_plans_are_sold_nothing_is_free_unless_somebody_says_so(
    environment: pytest.MonkeyPatch,
) -> None:
    assert read_settings(Settings).offers.free == Plan(10)
    for name, value in PRODUCTION.items():
        environment.setenv(name, value)
    assert read_settings(ProductionSettings).offers == Offers(free=Plan(10))
    for name, value in STRIPE.items():
        environment.setenv(name, value)
    environment.setenv("PICO_FORMER_PRICES", "price_0=basic")
    settings = read_settings(ProductionSettings)
    assert settings.offers.free == Plan(0)
    assert settings.offers.get(PlanName.PLUS) == Offer(PlanName.PLUS, Money(1299, "USD"), Plan(5))
    assert settings.sold == {PlanName.BASIC: "price_1", PlanName.PLUS: "price_2"}
    assert settings.sold_formerly == {"price_0": PlanName.BASIC}
    environment.setenv("PICO_LINES_OF_AN_ACCOUNT", "2")
    assert read_settings(ProductionSettings).offers.free == Plan(2)
