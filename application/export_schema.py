"""The JSON Schema of `export.json`, derived from the inventory: what is added there is described here."""

from __future__ import annotations

import json
from enum import StrEnum
from functools import cache
from typing import Any, get_args, get_origin

from application.inventory import INVENTORY
from domain.classification import Field, StorageKind

FORMAT = "pico-export-1"
EXPORT, MANIFEST = "export.json", "manifest.json"
_SHAPES: dict[StorageKind, dict[str, Any]] = {
    StorageKind.ID: {"type": "string", "format": "uuid"},
    StorageKind.REF: {"type": "string"},
    StorageKind.TIME: {"type": "string", "format": "date-time"},
    StorageKind.COUNT: {"type": "integer"},
    StorageKind.ENUM: {"type": "string"},
    StorageKind.SEALED: {"type": "string"},
}


def schema() -> dict[str, Any]:
    """Return the schema (JSON Schema, draft 2020-12)."""
    records = {
        stored.name: {"type": "array", "items": _record([f for f in stored.columns if f.policy.exported])}
        for stored in INVENTORY
        if stored.exported
    }
    unreadable = _object({"table": {"enum": sorted(records)}, "id": _SHAPES[StorageKind.ID]})
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Everything held about a person at one moment",
        **_object({
            "format": {"const": FORMAT},
            "account_id": _SHAPES[StorageKind.ID],
            "exported_at": _SHAPES[StorageKind.TIME],
            "records": _object(records),
            "partial": {"type": "boolean"},
            "unreadable": {"type": "array", "items": unreadable},
        }),
    }  # fmt: skip


@cache  # with the first export: most processes make none
def schema_text() -> bytes:
    """Return the schema as the file that lies in every archive."""
    return json.dumps(schema(), indent=1).encode()


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object", "properties": properties, "required": list(properties), "additionalProperties": False
    }  # fmt: skip


def _record(fields: list[Field]) -> dict[str, Any]:
    return _object({field.name: _shape(field) for field in fields})


def _shape(field: Field) -> dict[str, Any]:
    kind, of = field.policy.kind, field.type
    many = get_origin(of) is frozenset
    shape = dict(_SHAPES[kind])
    of = get_args(of)[0] if many else of
    if isinstance(of, type) and issubclass(of, StrEnum):
        shape = {"enum": [member.value for member in of]}
    if many:
        return {"type": "array", "items": shape}
    if field.optional or kind is StorageKind.SEALED:  # null stands for what is damaged, too
        return {"anyOf": [shape, {"type": "null"}]}
    return shape
