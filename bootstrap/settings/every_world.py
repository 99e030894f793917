"""What an operator can set in every world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from adapters.outbound.system.entitlements import LINES
from adapters.outbound.system.passwords import LEAST, PasswordCost
from domain.billing import Offer, Offers, PlanName
from domain.entitlements import Plan
from domain.epochs import EpochPolicy
from domain.money import Money
from domain.requests import A_MINUTE, RequestPolicy
from domain.retention import Retention, unused_after
from domain.spend import SpendPolicy
from domain.values import Country

COST = PasswordCost()
PRICE, NAMES = r"[A-Za-z0-9_]{1,64}", "(basic|plus|team)"
PLAN = rf"{NAMES}={PRICE}:[0-9]{{1,7}}[A-Z]{{3}}:[0-9]{{1,3}}"
PLANS = rf"^({PLAN}(,{PLAN}){{0,2}})?$"
ROOT = Path(__file__).resolve().parents[2]


class BadSettings(Exception):
    """Settings are missing or malformed; the message names each variable and never its value."""


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

    unused_days: int | None = Field(None, ge=365, le=3650, examples=["730"])
    """Days after which an account that nobody uses is deleted, after two warnings by mail; none is when unset."""

    backup_dir: Path | None = Field(None, examples=["/srv/pico-backups"])
    """Where backups lie, which should be another disk than the databases'; `backups` in the state folder when unset."""

    epoch_days: int = Field(7, ge=1, le=31)
    """Days after which a new master key takes the place of the one before, which is then deleted."""

    def must_fit(self) -> None:
        """Refuse settings that do not go together. Raises BadSettings."""
        if (self.database_url is None) != (self.keyring_url is None):
            raise BadSettings(
                "PICO_DATABASE_URL and PICO_KEYRING_URL are set together, and name two different databases."
            )
        if self.database_url is not None and self.database_url == self.keyring_url:
            raise BadSettings(
                "PICO_KEYRING_URL names the same database as PICO_DATABASE_URL: keys are kept apart."
            )

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
        "google_play_api_url",
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
        policy, days = Retention(), self.unused_days
        return replace(
            policy,
            unused_account=None if days is None else unused_after(timedelta(days=days)),
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

    telnyx_apps_connection_id: str = Field("", pattern=r"^[0-9]{0,24}$", examples=["1567510696929005999"])
    """Telnyx's id of the credential connection of its lines' apps, which lets no call out; none ring when unset."""

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
