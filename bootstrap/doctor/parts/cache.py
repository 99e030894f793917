"""The cache: reached by TLS, and keeping nothing."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from bootstrap.doctor.checks import CannotTell, Check, Part, unless
from bootstrap.doctor.examined import Examined


def _url(examined: Examined) -> str:
    return examined.secret(lambda settings: settings.redis_url)


async def _read(examined: Examined) -> dict[str, Any]:
    name = f"{examined.production.aws_name}-cache"
    found = await examined.amazon.or_none(
        "elasticache",
        "describe_replication_groups",
        "ReplicationGroupNotFoundFault",
        "ReplicationGroupNotFound",
        ReplicationGroupId=name,
    )
    if found is None:
        raise CannotTell(f"There is no cache {name}: PICO_AWS_NAME may be another.")
    [group] = found["ReplicationGroups"]
    return {**group, "url": _url(examined)}


def _address(of: dict[str, Any]) -> str | None:
    known = {node["PrimaryEndpoint"]["Address"].lower() for node in of["NodeGroups"]}
    return unless(urlsplit(of["url"]).hostname in known, "The configured address leads to another cache.")


PART = Part(
    name="cache",
    read=_read,
    configured=lambda examined: bool(_url(examined)),
    checks=(
        Check("address", ("S3",), "The configured address leads to it.", _address),
        Check(
            "tls",
            ("H14",),
            "It is reached by TLS.",
            lambda of: unless(
                urlsplit(of["url"]).scheme == "rediss", "Its address is not rediss: what passes can be read."
            ),
        ),
        Check(
            "tls-forced",
            ("H14",),
            "It takes nothing in clear.",
            lambda of: unless(
                of["TransitEncryptionEnabled"] and of.get("TransitEncryptionMode", "required") == "required",
                "It takes connections in clear.",
            ),
        ),
        Check(
            "encrypted",
            ("H30",),
            "What it holds is encrypted.",
            lambda of: unless(of["AtRestEncryptionEnabled"], "What it holds is not encrypted."),
        ),
        Check(
            "keeps-nothing",
            ("H30",),
            "It makes no snapshots.",
            lambda of: unless(
                not of.get("SnapshotRetentionLimit"),
                f"It keeps snapshots for {of.get('SnapshotRetentionLimit')} days.",
            ),
        ),
        Check(
            "password",
            ("S3",),
            "It asks for a password.",
            lambda of: unless(bool(of.get("AuthTokenEnabled")), "It asks for no password."),
        ),
    ),
)
