"""Postures broken on purpose in the databases, of master keys, and at the providers, by the check that finds each."""

# ruff: noqa: S608 - statements are put together from constants

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pydantic import SecretStr

from adapters.outbound.stripe.http import VERSION
from adapters.outbound.stripe.reading import TOLD_OF
from adapters.outbound.telnyx.simulator import CONNECTION_ID
from bootstrap.doctor.parts.servers import QUIET
from tests.contract.doctor.breaking import Break, answered, configured, done, setting, sql
from tests.contract.doctor.conftest import APPLICATION, DSN, Standing, google_account
from tests.support.keys import pem
from tests.support.production_life import MAIL_KEY

LOUD = {
    "log_error_verbosity": "'verbose'",
    "log_min_error_statement": "'error'",
    "log_min_messages": "'warning'",
    "log_statement": "'all'",
    "log_min_duration_statement": "0",
    "log_min_duration_sample": "100",
    "log_transaction_sample_rate": "0.5",
    "log_parameter_max_length_on_error": "-1",
}
"""A value of each setting with which the log quotes what it should not."""
assert LOUD.keys() == QUIET.keys()
OLD = "now() - interval '400 days'"
SOMEBODY = "'01890000-0000-7000-8000-000000000001'"


def _server(name: str, of: str, role: str) -> dict[str, Break]:
    def unverified(standing: Standing) -> dict[str, Any]:
        held: SecretStr = getattr(standing.settings, f"{name}_url")
        return {f"{name}_url": SecretStr(held.get_secret_value().replace("verify-full", "require"))}

    part = "rows-server" if name == "database" else "keyring-server"
    return {
        f"{part}.tls": configured(unverified),
        **{
            f"{part}.{each.replace('_', '-')}": setting(of, role, each, value) for each, value in LOUD.items()
        },
        f"{part}.mighty": sql(of, f"ALTER ROLE {role} CREATEROLE", f"ALTER ROLE {role} NOCREATEROLE"),
    }


def _altered(of: str, table: str, statement: str) -> Break:
    """Alter a table of few rows, and put back what was in it."""
    return sql(
        of,
        f"CREATE TABLE kept AS TABLE {table}; {statement}",
        f"DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept; DROP TABLE kept",
    )


def _epoch(statement: str) -> Break:
    return _altered("keyring_owner", "epochs", statement)


def _newest(**otherwise: Any) -> Break:
    """Have KMS tell otherwise of whatever key is enabled."""

    def change(parsed: dict[str, Any]) -> None:
        if parsed["KeyMetadata"]["KeyState"] == "Enabled":
            parsed["KeyMetadata"].update(otherwise)

    return answered("kms", "DescribeKey", change)


def _hooks(**switches: Any) -> Break:
    hook = {
        "enabled": True,
        "url": "https://api.example/webhooks/sendgrid",
        "public_key": MAIL_KEY,
        **switches,
    }
    return done(lambda standing: standing.sendgrid.console.webhooks.append(hook))


def _tracking(kind: str) -> Break:
    return done(lambda standing: standing.sendgrid.console.tracking.update({kind: True}))


def _told(**fields: Any) -> Break:
    return done(lambda standing: standing.endpoint.update(fields))


def _another_is_told(standing: Standing) -> None:
    standing.till.console.add_endpoint("https://elsewhere.example/", VERSION, TOLD_OF)


def _number(**fields: Any) -> Break:
    return done(lambda standing: standing.number.update(fields))


def _elsewhere(standing: Standing) -> None:
    standing.twilio.console.add_application(APPLICATION, "https://elsewhere.example/voice")


def _profile(**fields: Any) -> Break:
    def act(standing: Standing) -> None:
        [profile] = standing.telnyx.state.profiles.values()
        profile.update(fields)

    return done(act)


def _at_telnyx(**fields: Any) -> Break:
    def act(standing: Standing) -> None:
        [number] = standing.telnyx.state.numbers.values()
        number.update(fields)

    return done(act)


def _calls_elsewhere(standing: Standing) -> None:
    standing.telnyx.console.add_application(CONNECTION_ID, "https://elsewhere.example/")


def _other_google(standing: Standing) -> dict[str, Any]:
    other = rsa.generate_private_key(65537, 2048)
    return {"fcm_account": SecretStr(google_account(other, standing.settings.fcm_api_url))}


def _other_googles(standing: Standing) -> dict[str, Any]:
    other = rsa.generate_private_key(65537, 2048)
    return {"google_play_account": SecretStr(google_account(other, standing.settings.google_play_api_url))}


POSTURES: dict[str, Break] = {
    **_server("database", "owner", "pico_app"),
    **_server("keyring", "keyring_owner", "pico_keys"),
    "rows-server.audit-log": sql(
        "owner", "GRANT DELETE ON audit_log TO pico_app", "REVOKE DELETE ON audit_log FROM pico_app"
    ),
    "rows-server.not-owner": sql(
        "owner", "ALTER TABLE limits OWNER TO pico_app", "ALTER TABLE limits OWNER TO pico"
    ),
    "keyring-server.wal": sql(
        "keyring_owner",
        "SELECT pg_create_physical_replication_slot('a_copy')",
        "SELECT pg_drop_replication_slot('a_copy')",
    ),
    "due.schema": _altered(
        "owner", "alembic_version", "UPDATE alembic_version SET version_num = '0001_first'"
    ),
    "due.keyring-schema": _altered(
        "keyring_owner", "keyring_version", "UPDATE keyring_version SET version_num = 'earlier'"
    ),
    "due.live-events": sql(
        "owner",
        "SET session_replication_role = replica; INSERT INTO live_events (account_id, id, kind, subject, at, version)"
        f" VALUES ({SOMEBODY}, {SOMEBODY}, 'message.received', {SOMEBODY}, {OLD}, 1)",
        "DELETE FROM live_events",
    ),
    "due.erasures": sql(
        "owner",
        "INSERT INTO jobs (account_id, id, name, subject, state, due_at, queued_at, attempts, token)"
        f" VALUES ({SOMEBODY}, {SOMEBODY}, 'erase_account', {SOMEBODY}, 'dead', now(), now(), 9, 0)",
        "DELETE FROM jobs",
    ),
    "gate.ledger": sql(
        "owner",
        "INSERT INTO ledger_place (ledger, number, head) VALUES (1, 5, '\\x00')",
        "DELETE FROM ledger_place",
    ),
    "keys.enabled": _newest(KeyState="Disabled"),
    "keys.in-time": _epoch(f"UPDATE epochs SET began_at = {OLD}"),
    "keys.former": _epoch("UPDATE epochs SET gone_at = NULL, began_at = now() - interval '2 days'"),
    "keys.gone": _epoch(f"UPDATE epochs SET gone_at = {OLD} WHERE gone_at IS NOT NULL"),
    "keys.wrapped": _altered(
        "keyring_owner",
        "system_keys",
        "UPDATE system_keys SET master = (SELECT master FROM epochs WHERE number = 1)",
    ),
    "keys.region": _newest(MultiRegion=True),
    "keys.origin": _newest(Origin="EXTERNAL"),
    "keys.grants": answered(
        "kms", "ListGrants", lambda parsed: parsed.update(Grants=[{"GrantId": "somebody's"}])
    ),
    "keys.no-rotation": answered(
        "kms", "GetKeyRotationStatus", lambda parsed: parsed.update(KeyRotationEnabled=True)
    ),
    "twilio.sms": _number(sms_url="https://elsewhere.example/sms"),
    "twilio.voice": _number(voice_url=""),
    "twilio.call-status": _number(status_callback="https://elsewhere.example/"),
    "twilio.nobody-else": _number(voice_fallback_url="https://elsewhere.example/"),
    "twilio.no-look-up": _number(voice_caller_id_lookup=True),
    "twilio.application": done(_elsewhere),
    "telnyx.messages": _profile(webhook_url="https://elsewhere.example/"),
    "telnyx.voice": _at_telnyx(connection_id="1293384261075731400"),
    "telnyx.application": done(_calls_elsewhere),
    "telnyx.nobody-else": _profile(webhook_failover_url="https://elsewhere.example/"),
    "telnyx.version": _profile(webhook_api_version="1"),
    "telnyx.public-key": configured(lambda _: {"telnyx_public_keys": "A" * 43 + "="}),
    "fcm.credentials": configured(_other_google),
    "apns.credentials": configured(
        lambda _: {"apns_key": SecretStr(pem(ec.generate_private_key(ec.SECP256R1())))}
    ),
    "app-store.credentials": configured(
        lambda _: {"app_store_key": SecretStr(pem(ec.generate_private_key(ec.SECP256R1())))}
    ),
    "google-play.credentials": configured(_other_googles),
    "stores.tls": configured(lambda _: {"google_play_keys_url": "http://proxy.example/certs"}),
    **{
        f"sendgrid.{kind.replace('_', '-')}": _tracking(kind)
        for kind in ("click", "open", "subscription", "google_analytics")
    },
    "stripe.endpoint": _told(status="disabled"),
    "stripe.nobody-else": done(_another_is_told),
    "stripe.version": _told(api_version="2020-08-27"),
    "stripe.events": _told(enabled_events=["checkout.session.completed"]),
    "stripe.portal": done(lambda standing: standing.portal.update(active=False)),
    "sentry.tls": configured(lambda _: {"sentry_dsn": SecretStr(DSN.replace("https", "http"))}),
    "sendgrid.events-signed": _hooks(public_key=""),
    "sendgrid.events-verified": _hooks(public_key="a key that was rotated"),
    "sendgrid.events-here": _hooks(url="https://elsewhere.example/events"),
    "sendgrid.events-few": _hooks(open=True),
}
