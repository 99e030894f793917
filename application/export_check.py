"""The check of an export that somebody holds in their hand: it needs the file, and nothing of ours."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from application.export_schema import EXPORT, MANIFEST, schema

PIECE = 1 << 20


def problems_of(file: Path) -> list[str]:
    """Return what is wrong with an archive, a sentence each; nothing when it is whole. Raises OSError."""
    try:
        with ZipFile(file) as archive:
            manifest = json.loads(archive.read(MANIFEST))
            return [*_files(archive, manifest), *_records(archive, manifest)]
    except (BadZipFile, KeyError, ValueError, TypeError, AttributeError, EOFError) as error:
        return [f"It is no export, or not a whole one: {type(error).__name__}."]


def _files(archive: ZipFile, manifest: dict[str, Any]) -> list[str]:
    """Compare every file with the size and the hash that the manifest gives."""
    listed = {entry["name"]: entry for entry in manifest["files"]}
    there = [name for name in archive.namelist() if name != MANIFEST]
    damaged = {one["name"] for one in manifest["damaged_files"]}
    found = [f"{name} is listed and not there." for name in listed.keys() - {*there}]
    found += [f"{name} is there and not listed." for name in {*there} - listed.keys() - damaged]
    found += [
        f"{name} is there more than once." for name in {name for name in there if there.count(name) > 1}
    ]
    for name in listed.keys() & {*there}:
        hashed, size = hashlib.sha256(), 0
        with archive.open(name) as content:
            while piece := content.read(PIECE):
                hashed.update(piece)
                size += len(piece)
        if (size, hashed.hexdigest()) != (listed[name]["size"], listed[name]["sha256"]):
            found.append(f"{name} is not as it was written.")
    return found


def _records(archive: ZipFile, manifest: dict[str, Any]) -> list[str]:
    """Hold the records against the schema, and their number against the manifest."""
    whole = json.loads(archive.read(EXPORT))
    found = [f"{EXPORT}: {problem}" for problem in differences(whole, schema(), "")]
    counted = {name: len(rows) for name, rows in whole["records"].items()}
    if counted != manifest["records"]:
        found.append(f"{EXPORT} holds another number of records than the manifest says.")
    if whole["unreadable"] != manifest["unreadable"]:
        found.append(f"{EXPORT} and the manifest name other records as unreadable.")
    return found


def differences(value: Any, of: dict[str, Any], at: str) -> list[str]:  # noqa: ANN401 - JSON
    """Return where a value is not as a schema of ours says, by JSON pointer. It knows the words that ours use."""
    if "anyOf" in of:
        return (
            []
            if any(not differences(value, one, at) for one in of["anyOf"])
            else [f"{at} has another shape."]
        )
    if "const" in of or "enum" in of:
        return [] if value in of.get("enum", [of.get("const")]) else [f"{at} is another word."]
    match of["type"], value:
        case "object", dict():
            names = of["properties"]
            found = [f"{at}/{name} is unknown." for name in value.keys() - names.keys()]
            found += [f"{at}/{name} is missing." for name in names.keys() - value.keys()]
            for name in names.keys() & value.keys():
                found += differences(value[name], names[name], f"{at}/{name}")
            return found
        case "array", list():
            return [
                one for n, item in enumerate(value) for one in differences(item, of["items"], f"{at}/{n}")
            ]
    plain = {"string": str, "boolean": bool, "null": type(None), "integer": int}
    return [] if type(value) is plain.get(of["type"]) else [f"{at} has another shape."]
