"""Configuration: `PICO_*` environment variables and what the command line says, read once, never printed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict
from typing_extensions import override

from adapters.inbound.webhooks.sendgrid.signature import verification_key
from adapters.outbound.system.entitlements import LINES
from adapters.outbound.system.passwords import LEAST, PasswordCost
from bootstrap.push_settings import PushSettings
from domain.billing import Offer, Offers, PlanName
from domain.entitlements import Plan
from domain.epochs import EpochPolicy
from domain.money import Money
from domain.requests import A_MINUTE, RequestPolicy
from domain.retention import Retention
from domain.spend import SpendPolicy
from domain.values import Country

COST = PasswordCost()
DSN = re.compile(r"https?://\w+@[^\s/?#@]+(/[\w.-]+)*/\d+")
PRICE, NAMES = r"[A-Za-z0-9_]{1,64}", "(basic|plus|team)"
PLAN = rf"{NAMES}={PRICE}:[0-9]{{1,7}}[A-Z]{{3}}:[0-9]{{1,3}}"
PLANS = rf"^({PLAN}(,{PLAN}){{0,2}})?$"
ROOT = Path(__file__).resolve().parent.parent


class BadSettings(Exception):
    """Settings are missing or malformed; the message names each variable and never its value."""


class World(StrEnum):
    """Where Pico runs."""

    SANDBOX = "sandbox"
    PRODUCTION = "production"


class Settings(BaseSettings):
    """What an operator can set. Everything has a default that suits the Sandbox."""

    model_config = SettingsConfigDict(
        env_prefix="PICO_",
        frozen=True,
        hide_input_in_errors=True,
        extra="ignore",
        use_attribute_docstrings=True,
    )

    port: int = Field(8080, ge=0, le=65535)
    """Where the API listens, on loopback. 0 picks a free port."""
    public_url: str | None = Field(None, pattern=r"^https?://[^\s/?#]+/?$", examples=["https://pico.example"])
    """The address that providers call; the Sandbox's own when unset."""
    cors_origins: str = Field(
        "",
        pattern=r"^(https?://[^\s/,*]+(,https?://[^\s/,*]+)*)?$",
        examples=["https://app.example,https://other.example"],
    )
    """Whose pages may call the API from a browser, comma-separated; nobody's when unset."""
    state_dir: Path = ROOT / "var"
    """Where the Sandbox keeps its database, keys, ledger and simulators."""
    database_url: SecretStr | None = Field(None, examples=["postgresql://pico@localhost/pico"])
    """A PostgreSQL to use instead of our own; set together with the keyring's."""
    owner_url: SecretStr | None = Field(None, examples=["postgresql://pico_owner@localhost/pico"])
    """The main database as the owner of its tables, for `pico migrate`: PICO_DATABASE_URL is then another role's."""
    keyring_url: SecretStr | None = Field(None, examples=["postgresql://pico@localhost/pico_keyring"])
    """The keyring's own database: another one, so that no backup holds both."""
    key_cache_mib: int = Field(100, ge=1)
    """Memory for the keys of accounts in use: 100 MiB is for 20,000 of them. Beyond, each request unwraps its own."""

    drain_seconds: int = Field(0, ge=0, le=60)
    """Seconds that a server which is told to end serves on, while `/readyz` says that it ends."""

    session_idle_days: int = Field(30, ge=1, le=30)
    """Days after which a session that is not used expires: no more than PRIVACY.md says (T8)."""
    session_days: int = Field(180, ge=1, le=180)
    """Days after which every session expires."""

    backup_dir: Path | None = Field(None, examples=["/srv/pico-backups"])
    """Where backups lie, which should be another disk than the databases'; `backups` in the state folder when unset."""

    epoch_days: int = Field(7, ge=1, le=31)
    """Days after which a new master key takes the place of the one before, which is then deleted."""

    @property
    def epoch_policy(self) -> EpochPolicy:
        """When the next master key is due."""
        return EpochPolicy(timedelta(days=self.epoch_days))

    @property
    def origins(self) -> frozenset[str]:
        """The origins in `cors_origins`."""
        return frozenset(filter(None, self.cors_origins.split(",")))

    @field_validator(
        "public_url",
        "twilio_api_url",
        "telnyx_api_url",
        "sendgrid_api_url",
        "stripe_api_url",
        "app_url",
        "fcm_api_url",
        "apns_api_url",
        "apns_development_url",
        check_fields=False,
    )
    @classmethod
    def _without_slash(cls, url: str | None) -> str | None:
        """An address with the root as its path is the same address (RFC 3986, 6.2.3)."""
        return url.removesuffix("/") if url else url

    @property
    def retention(self) -> Retention:
        """How long things are kept."""
        policy = Retention()
        return replace(
            policy,
            idle_session=replace(policy.idle_session, keep=timedelta(days=self.session_idle_days)),
            session=replace(policy.session, keep=timedelta(days=self.session_days)),
        )

    requests_a_minute: int = Field(A_MINUTE, ge=60, le=10**7)
    """How often an account may ask each process a minute; a tenth of that for what hashes, searches or uploads."""

    @property
    def request_policy(self) -> RequestPolicy:
        """How often somebody may ask."""
        return RequestPolicy.of(self.requests_a_minute)

    spend_a_day: int = Field(10_000, ge=1_000, le=10**7)
    """What an account may spend on messages a day, in thousandths of a US dollar; a fifth of it in its first week."""
    countries: str = Field("", pattern=r"^([A-Z]{2}(,[A-Z]{2})*)?$", examples=["US,CA"])
    """Where messages may be sent to, ISO 3166-1, comma-separated; a list of our own when unset."""

    @property
    def spend_policy(self) -> SpendPolicy:
        """What may be spent on messages."""
        policy, most = SpendPolicy(), self.spend_a_day
        return replace(
            policy,
            countries=frozenset(map(Country, self.countries.split(",")))
            if self.countries
            else policy.countries,
            of_an_account=replace(policy.of_an_account, most=most, at_once=most * 66 // 100),
            of_a_young_account=replace(policy.of_a_young_account, most=most // 5, at_once=most * 66 // 500),
            of_a_neighbourhood=replace(
                policy.of_a_neighbourhood, most=most * 3 // 100, at_once=most * 3 // 200
            ),
        )

    admin_port: int | None = Field(None, ge=1, le=65535, examples=["9090"])
    """Where each process shows its metrics to Prometheus, at `/metrics`; nowhere when unset. One for each process."""
    admin_host: str = Field("127.0.0.1", pattern=r"^[0-9A-Fa-f.:]+$", examples=["127.0.0.1"])
    """On which address: never one that faces the internet."""
    log_requests: bool = Field(False, examples=["true"])
    """Whether each request is a line in the log: method, route's template, status and milliseconds."""

    lines_of_an_account: int = Field(LINES, ge=0, le=1000)
    """How many lines an account may have at a time that pays for no plan; unset where plans are sold, none."""
    line_countries: str = Field("", pattern=r"^([A-Z]{2}(,[A-Z]{2})*)?$", examples=["US,CA"])
    """Of which countries its numbers may be, ISO 3166-1, comma-separated; of all that the carrier sells when unset."""

    @property
    def entitled_to(self) -> Plan:
        """What each account is entitled to."""
        named = self.line_countries.split(",") if self.line_countries else None
        return Plan(self.lines_of_an_account, None if named is None else frozenset(map(Country, named)))

    plans: str = Field(
        "basic=price_basic:499USD:1,plus=price_plus:1299USD:5,team=price_team:2999USD:20",
        pattern=PLANS,
        examples=["basic=price_1Pq2Rs:499USD:1,plus=price_1Pq2Rt:1299USD:5"],
    )
    """The plans that are sold, of `basic`, `plus` and `team`: the price's id at Stripe, the price a month, lines."""
    former_prices: str = Field(
        "", pattern=rf"^({PRICE}={NAMES}(,{PRICE}={NAMES})*)?$", examples=["price_1Old=basic"]
    )
    """Prices at Stripe that are sold no more and still paid, and of which plan they are."""

    @property
    def sold(self) -> Mapping[PlanName, str]:
        """The prices at Stripe, by plan."""
        return {name: price for name, price, _, _ in self._plans()}

    @property
    def sold_formerly(self) -> Mapping[str, PlanName]:
        """The plans in `former_prices`, by the price's id."""
        listed = (entry.split("=") for entry in self.former_prices.split(",") if entry)
        return {price: PlanName(name) for price, name in listed}

    @property
    def offers(self) -> Offers:
        """The plans on offer, and what is free."""
        countries = self.entitled_to.countries
        return Offers(
            {name: Offer(name, money, Plan(lines, countries)) for name, _, money, lines in self._plans()},
            Plan(self._free_lines(), countries),
        )

    def _free_lines(self) -> int:
        return self.lines_of_an_account

    def _plans(self) -> list[tuple[PlanName, str, Money, int]]:
        found = []
        for entry in filter(None, self.plans.split(",")):
            name, said = entry.split("=")
            price, money, lines = said.split(":")
            found.append((PlanName(name), price, Money(int(money[:-3]), money[-3:]), int(lines)))
        return found

    number_prices: str = Field(
        "US=115USD,CA=115USD",
        pattern=r"^([A-Z]{2}=[0-9]{1,7}[A-Z]{3}(,[A-Z]{2}=[0-9]{1,7}[A-Z]{3})*)?$",
        examples=["US=115USD,GB=115USD"],
    )
    """What the carrier charges you for a number a month, by country, in the currency's smallest unit."""

    @property
    def prices(self) -> Mapping[Country, Money]:
        """The prices in `number_prices`, by country."""
        listed = (entry.split("=") for entry in self.number_prices.split(",") if entry)
        return {Country(country): Money(int(price[:-3]), price[-3:]) for country, price in listed}

    telnyx_countries: str = Field("", pattern=r"^([A-Z]{2}(,[A-Z]{2})*)?$", examples=["GB,CA"])
    """Whose new lines are with Telnyx, ISO 3166-1, comma-separated; none, and no Telnyx at all, when unset."""

    telnyx_connection_id: str = Field("", pattern=r"^[0-9]{0,24}$", examples=["1293384261075731499"])
    """Telnyx's id of the Voice API application that takes its lines' calls; these carry none when unset."""

    @property
    def countries_at_telnyx(self) -> frozenset[Country]:
        """The countries in `telnyx_countries`."""
        return frozenset(map(Country, filter(None, self.telnyx_countries.split(","))))

    password_memory_mib: int = Field(COST.memory_mib, ge=LEAST.memory_mib, le=1024)
    """Memory that one hash of a password takes. Hashes made for less are made anew as people sign in."""
    password_passes: int = Field(COST.passes, ge=LEAST.passes, le=64)
    """How often a hash goes over its memory."""
    password_lanes: int = Field(COST.lanes, ge=LEAST.lanes, le=64)
    """How many threads work on one hash."""

    @property
    def password_cost(self) -> PasswordCost:
        """What one hash of a password takes."""
        return PasswordCost(self.password_memory_mib, self.password_passes, self.password_lanes)

    @field_validator("database_url", "keyring_url", "owner_url")
    @classmethod
    def _is_an_address(cls, url: SecretStr | None) -> SecretStr | None:
        """Refuse early what a driver would quote in its own complaint."""
        if url is not None:
            parts = urlsplit(url.get_secret_value())
            # To read the port is to check it.
            if parts.scheme not in {"postgresql", "postgres"} or parts.port == 0:
                raise ValueError
        return url


class ProductionSettings(PushSettings, Settings):
    """What an operator of Production must set, beside what may be set."""

    drain_seconds: int = Field(5, ge=0, le=60)
    """As long as a balancer needs to notice: those of AWS look every five seconds at the most often."""
    public_url: str = Field(pattern=r"^https://[^\s/?#]+/?$", examples=["https://pico.example"])
    database_url: SecretStr = Field(examples=["postgresql://pico@localhost/pico"])
    keyring_url: SecretStr = Field(examples=["postgresql://pico@localhost/pico_keyring"])
    twilio_account_sid: str = Field(pattern=r"^AC[0-9a-f]{32}$", examples=["AC" + "0123456789abcdef" * 2])
    twilio_auth_token: SecretStr = Field(min_length=1)
    twilio_api_url: str = Field(
        "https://api.twilio.com", pattern=r"^https?://[^\s/?#]+/?$", examples=["https://api.twilio.com"]
    )
    """Twilio's own address, or a proxy's that everything sent outside must pass."""
    twilio_key_sid: str = Field("", pattern=r"^(SK[0-9a-f]{32})?$", examples=["SK" + "0123456789abcdef" * 2])
    """The key that signs the tokens of apps; without it and what follows no app can call or be called."""
    twilio_key_secret: SecretStr = SecretStr("")
    twilio_application_sid: str = Field(
        "", pattern=r"^(AP[0-9a-f]{32})?$", examples=["AP" + "0123456789abcdef" * 2]
    )
    """The application whose voice address is `/webhooks/twilio/voice/client` below `public_url`."""
    twilio_push_credential_sid: str = Field(
        "", pattern=r"^(CR[0-9a-f]{32})?$", examples=["CR" + "0123456789abcdef" * 2]
    )
    """By which Twilio wakes apps that are called."""
    kms_key_id: str = Field(
        pattern=r"^(arn:aws:kms:us-east-1:[0-9]{12}:\S+|alias/[\w/-]+|[0-9a-f]{8}-[0-9a-f-]{27})$",
        examples=["alias/pico"],
    )
    """The key at AWS KMS that wraps accounts' keys until the first epoch makes another."""
    redis_url: SecretStr | None = Field(None, examples=["rediss://:password@redis.example:6379/0"])
    """A Redis or Valkey in which all processes count what is limited; without it, they count in the main database."""
    objects_bucket: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", examples=["pico-objects"])
    """The S3 bucket for pictures, voicemail and exports."""
    ledger_bucket: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", examples=["pico-ledger"])
    """The S3 bucket for the erasure ledger: of its own, with a default retention that nobody can shorten."""
    aws_name: str = Field("pico", pattern=r"^[a-z][a-z0-9-]{1,19}$", examples=["pico"])
    """What the templates of deploy/aws call everything: by it `pico doctor` finds the databases and the cache."""
    aws_endpoint_url: str = Field(
        "", pattern=r"^(https?://[^\s/?#]+/?)?$", examples=["https://aws-proxy.example"]
    )
    """A proxy's address, where calls to AWS must pass one."""
    sendgrid_api_key: SecretStr = Field(min_length=1)
    sendgrid_api_url: str = Field(
        "https://api.sendgrid.com", pattern=r"^https?://[^\s/?#]+/?$", examples=["https://api.sendgrid.com"]
    )
    """SendGrid's own address, or a proxy's."""
    sendgrid_webhook_keys: str = Field(
        pattern=r"^[A-Za-z0-9+/]{122}==(,[A-Za-z0-9+/]{122}==)*$",
        examples=[
            (
                "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEs08kbmhwZ/I2wakOVL7+EHrwoxAe/7VE7ghiAKlM3ndkswOf"
                "q31Qidhz4PJnaMlvu++ckSYeOQwOSeQCQ/+gNQ=="
            )
        ],
    )
    """By which SendGrid's webhooks are verified, comma-separated: two while they are rotated."""
    mail_from: str = Field(pattern=r"^[^\s@]+@[^\s@]+$", examples=["hello@pico.example"])
    """The address that mails come from, verified at SendGrid."""
    app_url: str = Field(pattern=r"^https://[^\s?#]+$", examples=["https://app.pico.example"])
    """Where mails lead: below it stand the paths of the API's operations, such as `/accounts/verify_account`."""
    stripe_api_key: SecretStr | None = Field(None, min_length=1)
    """Stripe's API key. With it plans are sold, and what follows and PICO_PLANS are needed; without it nothing is."""
    stripe_webhook_secrets: SecretStr | None = Field(None, min_length=1)
    """By which Stripe's webhooks are verified, comma-separated: two while one is rolled."""
    stripe_api_url: str = Field(
        "https://api.stripe.com", pattern=r"^https?://[^\s/?#]+/?$", examples=["https://api.stripe.com"]
    )
    """Stripe's own address, or a proxy's that everything sent outside must pass."""
    plans: str = Field(
        "", pattern=PLANS, examples=["basic=price_1Pq2Rs:499USD:1,plus=price_1Pq2Rt:1299USD:5"]
    )
    """The plans that are sold, of `basic`, `plus` and `team`: the price's id at Stripe, the price a month, lines."""

    @override
    def _free_lines(self) -> int:
        """Give nothing away where plans are sold, unless somebody said so."""
        said = "lines_of_an_account" in self.model_fields_set or self.stripe_api_key is None
        return self.lines_of_an_account if said else 0

    telnyx_api_key: SecretStr | None = Field(None, min_length=1)
    """Telnyx's API key; needed once it is set whose lines are with Telnyx."""
    telnyx_public_keys: str = Field(
        "",
        pattern=r"^([A-Za-z0-9+/]{43}=(,[A-Za-z0-9+/]{43}=)*)?$",
        examples=["TW9h/kTLNQ91bryXL6+REUjjhqoY/GtS0CjFVyKZV1Q="],
    )
    """By which Telnyx's webhooks are verified, comma-separated: two while they are rotated."""
    telnyx_api_url: str = Field(
        "https://api.telnyx.com", pattern=r"^https?://[^\s/?#]+/?$", examples=["https://api.telnyx.com"]
    )
    """Telnyx's own address, or a proxy's that everything sent outside must pass."""
    telnyx_media_hosts: str = Field(
        "https://media.telnyx.com,https://s3.amazonaws.com",
        pattern=r"^https?://[^\s/,*]+(,https?://[^\s/,*]+)*$",
        examples=["https://media.telnyx.com"],
    )
    """Where Telnyx has pictures and recordings lie, comma-separated: they are fetched from nowhere else."""
    sentry_dsn: SecretStr | None = Field(None, examples=["https://0123456789abcdef@sentry.example/1"])
    """Where Sentry takes reports of errors: type, module, function and line of what rose. Unset: none is made."""

    @field_validator("sendgrid_webhook_keys")
    @classmethod
    def _are_keys(cls, keys: str) -> str:
        """Refuse what has the length of a key and is none."""
        for key in keys.split(","):
            verification_key(key)
        return keys

    @field_validator("sentry_dsn")
    @classmethod
    def _is_a_dsn(cls, dsn: SecretStr | None) -> SecretStr | None:
        """Refuse early what Sentry's client would quote in its own complaint."""
        if dsn is not None and not DSN.fullmatch(dsn.get_secret_value()):
            raise ValueError
        return dsn

    @field_validator("redis_url")
    @classmethod
    def _is_a_redis(cls, url: SecretStr | None) -> SecretStr | None:
        """Refuse another kind of address, and one that would switch off a check of the certificate."""
        if url is not None:
            parts = urlsplit(url.get_secret_value())
            asked = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
            if parts.scheme not in {"redis", "rediss"} or not parts.hostname or parts.port == 0:
                raise ValueError
            if asked - {"ssl_ca_certs"} or parts.path.strip("/").strip("0123456789"):
                raise ValueError
        return url


class _Choice(BaseSettings):
    """The one variable that decides which others are read."""

    model_config = Settings.model_config

    world: World = World.SANDBOX
    """`sandbox`, or `production`, which names each variable that it needs and has not."""


S = TypeVar("S", bound=BaseSettings)
W = TypeVar("W", bound=Settings)

Options = Mapping[str, str]
"""What the command line says in the place of variables, by a setting's name."""


def chosen_world() -> World:
    """Return the world that PICO_WORLD names, the Sandbox when it is unset. Raises BadSettings."""
    return _read(_Choice, {}).world


def read_settings(kind: type[W], options: Options = MappingProxyType({})) -> W:
    """Read the environment, and before it the options. Raises BadSettings, which names everything that is wrong."""
    settings = _read(kind, options)
    if (settings.database_url is None) != (settings.keyring_url is None):
        raise BadSettings(
            "PICO_DATABASE_URL and PICO_KEYRING_URL are set together, and name two different databases."
        )
    if settings.database_url is not None and settings.database_url == settings.keyring_url:
        raise BadSettings(
            "PICO_KEYRING_URL names the same database as PICO_DATABASE_URL: keys are kept apart."
        )
    if isinstance(settings, ProductionSettings):
        _must_reach_telnyx(settings)
        _must_reach_stripe(settings)
        if settings.apns_is_half:
            raise BadSettings(
                "PICO_APNS_KEY, PICO_APNS_KEY_ID, PICO_APNS_TEAM_ID and PICO_APNS_TOPIC are set together."
            )
    return settings


def _must_reach_stripe(settings: ProductionSettings) -> None:
    """Refuse half of what Stripe needs: plans nobody could buy, or hear of being paid. Raises BadSettings."""
    secrets = settings.stripe_webhook_secrets
    whole = secrets is not None and all(secrets.get_secret_value().split(","))
    given = (settings.stripe_api_key is not None, whole, bool(settings.plans))
    if any((*given, secrets is not None)) and not all(given):
        raise BadSettings("PICO_STRIPE_API_KEY, PICO_STRIPE_WEBHOOK_SECRETS and PICO_PLANS are set together.")


def _must_reach_telnyx(settings: ProductionSettings) -> None:
    """Refuse half of what Telnyx needs: a key without public keys, and lines at a carrier that cannot be reached.

    Keys without countries are no half: lines that are there stay, and new ones are with Twilio. Raises BadSettings.
    """
    keys = (settings.telnyx_api_key is not None, bool(settings.telnyx_public_keys))
    if any(keys) != all(keys) or (settings.countries_at_telnyx and not all(keys)):
        raise BadSettings(
            "PICO_TELNYX_COUNTRIES needs PICO_TELNYX_API_KEY and PICO_TELNYX_PUBLIC_KEYS, which are set together."
        )


def variables() -> Mapping[str, str]:
    """Return every variable that a Sandbox reads, and in a sentence what it is for."""
    found = {}
    for kind in (_Choice, Settings):
        for name, field in kind.model_fields.items():
            shown = f" (default: {field.default})" if field.default or field.default == 0 else ""
            found[variable(name)] = f"{field.description}{shown}"
    return found


def variable(name: str) -> str:
    """Return the variable of a setting."""
    return f"PICO_{name.upper()}"


def _read(kind: type[S], options: Options) -> S:
    try:
        return kind(**dict[str, Any](options))
    except ValidationError as error:
        told = _told(error, kind, options)
    raise BadSettings(told)  # outside the handler: the error above knows the values


def _told(error: ValidationError, kind: type[BaseSettings], options: Options) -> str:
    """Say which variables are not set, and of those with a value of no use which value would be good."""
    missing, said = set[str](), []
    for name, fault in sorted((str(fault["loc"][0]), fault["type"]) for fault in error.errors()):
        called = f"--{name.replace('_', '-')}" if name in options else variable(name)
        if fault == "missing":
            missing.add(called)
        else:
            said.append(f"{called} takes {_good(kind.model_fields[name])}.")
    if missing:
        said.append(f"Not set: {', '.join(sorted(missing))}.")
    return " ".join(said)


def _good(field: FieldInfo) -> str:
    """Say which values a setting takes."""
    if isinstance(field.annotation, type) and issubclass(field.annotation, StrEnum):
        return " or ".join(field.annotation)
    if field.annotation is int:
        limits = {
            limit: of
            for part in field.metadata
            for limit in ("ge", "le")
            if (of := getattr(part, limit, None)) is not None
        }
        return "a whole number " + (
            f"from {limits['ge']} to {limits['le']}" if "le" in limits else f"of at least {limits['ge']}"
        )
    return f"something like {field.examples[0]}" if field.examples else "a value that is not empty"
