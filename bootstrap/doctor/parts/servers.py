"""Both databases as they answer: who we are there, what they write to their logs, and what of WAL they hold on to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import parse_qs, urlsplit

from bootstrap.doctor.checks import Check, Part, unless
from bootstrap.doctor.examined import Examined

QUIET: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "log_error_verbosity": frozenset({"terse"}),
        "log_min_error_statement": frozenset({"panic"}),
        "log_min_messages": frozenset({"log", "fatal", "panic"}),
        "log_statement": frozenset({"none"}),
        "log_min_duration_statement": frozenset({"-1"}),
        "log_min_duration_sample": frozenset({"-1"}),
        "log_transaction_sample_rate": frozenset({"0"}),
        "log_parameter_max_length_on_error": frozenset({"0"}),
    }
)
"""Settings and the values with which no log quotes a value: an ERROR's own words do, so none is logged."""
TALKATIVE = ("auto_explain", "pgaudit", "pg_stat_monitor", "pg_tracing")
"""Libraries that write statements down."""

_SETTINGS = "SELECT name, setting FROM pg_settings"
_ROLE = """
SELECT r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls AS mighty,
       EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND pg_has_role(c.relowner, 'USAGE')) AS owns,
       (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND c.relname IN ('audit_log', 'audit_recent', 'audit_heads')
          AND has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE')) AS alters
FROM pg_roles r WHERE r.rolname = current_user
"""
_SLOTS = "SELECT count(*) FROM pg_replication_slots"
_SYSTEM = "SELECT system_identifier FROM pg_control_system()"


@dataclass(frozen=True, slots=True)
class Server:
    """What a database says of itself to the role that the product is there."""

    settings: Mapping[str, str]
    mighty: bool
    owns: bool
    alters: int
    slots: int
    system: int
    other: int
    url: str


async def _read(examined: Examined, url: str, other: str) -> Server:
    async with examined.reading(other) as connection:
        elsewhere = await connection.fetchval(_SYSTEM)
    async with examined.reading(url) as connection:
        role = await connection.fetchrow(_ROLE)
        return Server(
            settings=dict(await connection.fetch(_SETTINGS)),
            mighty=role["mighty"],
            owns=role["owns"],
            alters=role["alters"],
            slots=await connection.fetchval(_SLOTS),
            system=await connection.fetchval(_SYSTEM),
            other=elsewhere,
            url=url,
        )


def _verified(of: Server) -> str | None:
    mode = parse_qs(urlsplit(of.url).query).get("sslmode", ["prefer"])[-1]
    return unless(mode == "verify-full", f"Its address says sslmode={mode}, which takes any server for it.")


def _quiet(setting: str) -> Check[Server]:
    def wrong(of: Server) -> str | None:
        said = of.settings.get(setting, "")
        return unless(said in QUIET[setting], f"{setting} is {said}: the log may quote values.")

    return Check(setting.replace("_", "-"), ("H14",), f"{setting} lets no value into the log.", wrong)


def _libraries(of: Server) -> str | None:
    loaded = of.settings.get("shared_preload_libraries", "")
    found = [name for name in TALKATIVE if name in loaded]
    return unless(not found, f"{', '.join(found)} writes statements down.")


_EITHER: tuple[Check[Server], ...] = (
    Check(
        "tls",
        ("H14",),
        "It is reached by TLS alone, and known by its certificate.",
        _verified,
        in_sandbox=False,
    ),
    *map(_quiet, QUIET),
    Check("libraries", ("H14",), "No library that it loads writes statements down.", _libraries),
    Check(
        "wal",
        ("T4", "H20"),
        "Nothing makes it hold on to its write-ahead log.",
        lambda of: unless(not of.slots, f"{of.slots} replication slots hold on to the write-ahead log."),
    ),
    Check(
        "mighty",
        ("H40",),
        "Our role there has no more powers than the product needs.",
        lambda of: unless(not of.mighty, "Our role there is a superuser, or may make roles or replicas."),
        in_sandbox=False,
    ),
)


async def _rows(examined: Examined) -> Server:
    return await _read(examined, examined.database_url, examined.keyring_url)


async def _keyring(examined: Examined) -> Server:
    return await _read(examined, examined.keyring_url, examined.database_url)


ROWS = Part(
    name="rows-server",
    read=_rows,
    in_sandbox=True,
    checks=(
        *_EITHER,
        Check(
            "not-owner",
            ("H50",),
            "Our role there owns no table.",
            lambda of: unless(not of.owns, "Our role owns tables, and so could drop the audit log."),
        ),
        Check(
            "audit-log",
            ("C14", "H50"),
            "Our role can add to the audit log, and alter nothing of it.",
            lambda of: unless(not of.alters, "Our role may change or delete entries of the audit log."),
        ),
    ),
)
KEYRING = Part(
    name="keyring-server",
    read=_keyring,
    in_sandbox=True,
    checks=(
        *_EITHER,
        Check(
            "apart",
            ("H20",),
            "Keys lie in a cluster of their own.",
            lambda of: unless(
                of.system != of.other, "Keys and rows lie in one cluster: one backup holds both."
            ),
        ),
    ),
)
