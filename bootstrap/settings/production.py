"""What an operator of Production sets."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, SecretStr, field_validator
from typing_extensions import override

from adapters.inbound.webhooks.sendgrid.signature import verification_key
from bootstrap.settings.every_world import PLANS, BadSettings, Settings
from bootstrap.settings.push import PushSettings
from bootstrap.settings.stores import StoreSettings

DSN = re.compile(r"https?://\w+@[^\s/?#@]+(/[\w.-]+)*/\d+")


class ProductionSettings(PushSettings, StoreSettings, Settings):
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

    @override
    def must_fit(self) -> None:
        super().must_fit()
        self._must_reach_telnyx()
        self._must_reach_stripe()
        self._must_sell_in_stores()
        if self.apns_is_half:
            raise BadSettings(
                "PICO_APNS_KEY, PICO_APNS_KEY_ID, PICO_APNS_TEAM_ID and PICO_APNS_TOPIC are set together."
            )

    def _must_reach_stripe(self) -> None:
        """Refuse half of what Stripe needs: plans nobody could buy, or hear of being paid. Raises BadSettings."""
        secrets = self.stripe_webhook_secrets
        whole = secrets is not None and all(secrets.get_secret_value().split(","))
        given = (self.stripe_api_key is not None, whole, bool(self.plans))
        if any((*given, secrets is not None)) and not all(given):
            raise BadSettings(
                "PICO_STRIPE_API_KEY, PICO_STRIPE_WEBHOOK_SECRETS and PICO_PLANS are set together."
            )

    def _must_sell_in_stores(self) -> None:
        """Refuse half of what an app store needs, and plans that are sold nowhere but there. Raises BadSettings."""
        if self.app_store_is_half or (self.app_store is not None and self.stripe_api_key is None):
            raise BadSettings(
                "PICO_APP_STORE_BUNDLE, PICO_APP_STORE_PRODUCTS, PICO_APP_STORE_ROOTS, PICO_APP_STORE_ISSUER, "
                "PICO_APP_STORE_KEY_ID and PICO_APP_STORE_KEY are set together, beside PICO_STRIPE_API_KEY."
            )
        sold = self.google_play_account is not None
        if self.google_play_is_half or (sold and self.stripe_api_key is None):
            raise BadSettings(
                "PICO_GOOGLE_PLAY_PACKAGE, PICO_GOOGLE_PLAY_PRODUCTS, PICO_GOOGLE_PLAY_ACCOUNT and "
                "PICO_GOOGLE_PLAY_PUSH_ACCOUNT are set together, beside PICO_STRIPE_API_KEY."
            )

    def _must_reach_telnyx(self) -> None:
        """Refuse half of what Telnyx needs: a key without public keys, and lines at a carrier that is not reached.

        Keys without countries are no half: lines that are there stay, and new ones are with Twilio. Raises BadSettings.
        """
        keys = (self.telnyx_api_key is not None, bool(self.telnyx_public_keys))
        if any(keys) != all(keys) or (self.countries_at_telnyx and not all(keys)):
            raise BadSettings(
                "PICO_TELNYX_COUNTRIES needs PICO_TELNYX_API_KEY and PICO_TELNYX_PUBLIC_KEYS, which are set together."
            )

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
