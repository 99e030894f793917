"""What an export holds: every row of an account, with the fields the data map promises and texts in clear."""

from __future__ import annotations

import json
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from application.export_building import BuildExport
from application.inventory import INVENTORY, Stored
from application.ports.repositories.exports import Records, Written
from bootstrap.policy import DATA_MAP, END
from domain.accounts import Account
from domain.messages import Message
from domain.sessions import Session
from tests.contract.architecture.test_policy import POLICY
from tests.support.archives import export_in
from tests.support.canary_account import lived
from tests.support.harness import Databases
from tests.support.proofs import proves


class Forges(BuildExport):
    """Changes what a page holds."""

    async def _page(self, records: Records, stored: Stored, after: UUID | None) -> Written:
        page = await super()._page(records, stored, after)
        rows = self.forged(stored, json.loads(f"[{page.text}]"))
        return page._replace(text=json.dumps(rows)[1:-1], rows=page.rows if rows else 0)

    def forged(self, _stored: Stored, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return rows


class SkipsOldTexts(Forges):
    """Leaves out the first record of every kind of which there are two."""

    def forged(self, _stored: Stored, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return rows[1:] if len(rows) > 1 else rows


class SkipsSessions(Forges):
    """Thinks that sessions are nobody's business."""

    def forged(self, stored: Stored, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [] if stored.of is Session else rows


class ExportsCiphertext(Forges):
    """Hands messages over as they lie there."""

    def forged(self, stored: Stored, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [row | {"body": "01ab"} for row in rows] if stored.of is Message else rows


class SkipsDates(Forges):
    """Thinks that nobody wants to know when."""

    def forged(self, _stored: Stored, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{name: row[name] for name in row if not name.endswith("at")} for row in rows]


class ShowsSecrets(Forges):
    """Thinks that everything is everything."""

    def forged(self, stored: Stored, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [row | {"password": "$argon2id$"} for row in rows] if stored.of is Account else rows


class RoundsTimes(Forges):
    """Tells days for instants."""

    def forged(self, _stored: Stored, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            row | {name: f"{row[name][:10]}T00:00:00Z" for name in row if name == "created_at"}
            for row in rows
        ]


def exports_no_dates(stored: Databases) -> Databases:
    return partial(stored, build_export=SkipsDates)


def exports_secrets(stored: Databases) -> Databases:
    return partial(stored, build_export=ShowsSecrets)


def rounds_times(stored: Databases) -> Databases:
    return partial(stored, build_export=RoundsTimes)


def promised() -> dict[str, dict[str, str]]:
    """Return the fields that the data map says are in the export, by record, each with how it is held."""
    lines = POLICY.partition(DATA_MAP)[2].partition(END)[0].splitlines()[3:]
    found: dict[str, dict[str, str]] = {}
    for record, field, kind, _, exported, _ in (line.strip("| ").split(" | ") for line in lines):
        if exported == "yes":
            found.setdefault(record, {})[field] = kind
    return found


def as_told(value: object, told: object) -> object:
    """Return a value as the export would tell it, given how it did tell it."""
    match value:
        case datetime():
            return told if datetime.fromisoformat(str(told)) == value else value
        case bool() | int() | list() | None:
            return value
    return str(value)


def exports_half(stored: Databases) -> Databases:
    return partial(stored, build_export=SkipsOldTexts)


def exports_no_sessions(stored: Databases) -> Databases:
    return partial(stored, build_export=SkipsSessions)


def exports_ciphertext(stored: Databases) -> Databases:
    return partial(stored, build_export=ExportsCiphertext)


@proves(
    "H16", text="aa9fe4b0a581", saboteur=exports_no_dates, says="the export shows other fields than promised"
)
@proves(
    "H16", text="aa9fe4b0a581", saboteur=exports_secrets, says="the export shows other fields than promised"
)
@proves("R1", text="03d26f09c27e", saboteur=rounds_times, says="a value is not exported as it is")
@proves("R1", text="03d26f09c27e", saboteur=exports_half, says="a row is missing from the export")
@proves("R1", text="03d26f09c27e", saboteur=exports_no_sessions, says="a row is missing from the export")
@proves("R1", text="03d26f09c27e", saboteur=exports_ciphertext, says="a message is not exported in clear")
async def test_an_export_holds_every_row_with_texts_in_clear(stored: Databases) -> None:
    async with stored() as world:
        ada, _boris = await lived(world), await lived(world)
        export = await world.use_cases.start_export(ada.id)
        await world.settle()
        there = {
            of.name: {str(row["id"]) for row in await world.rows(of.name, **{of.owner: ada.id})}
            for of in INVENTORY
            if of.exported
        }
        rows = {of.name: await world.rows(of.name, **{of.owner: ada.id}) for of in INVENTORY if of.exported}
        slices = await world.use_cases.download_export(ada.id, export.id, ada.password)
        told = export_in(b"".join([part async for part in slices]))["records"]
        assert {name: {row["id"] for row in rows} for name, rows in told.items()} == there, (
            "a row is missing from the export"
        )
        for name, fields in promised().items():
            shown = {frozenset(row) for row in told[name]}
            assert shown <= {frozenset(fields)}, "the export shows other fields than promised"
            lying = {str(row["id"]): row for row in rows[name]}
            plain = [field for field, kind in fields.items() if kind != "sealed" and name != "exports"]
            wrong = [
                (name, field) for row in told[name] for field in plain
                if as_told(lying[row["id"]][field], row[field]) != row[field]
            ]  # fmt: skip
            assert wrong == [], "a value is not exported as it is"
        assert sorted(row["body"] for row in told["messages"]) == sorted([ada.heard, ada.said]), (
            "a message is not exported in clear"
        )
        assert [row["peer"] for row in told["conversations"]] == [ada.peer]
        (me,), (line,) = told["accounts"], told["phone_lines"]
        assert (me["email"], me["display_name"], me["locale"]) == (ada.email, ada.name, ada.locale)
        assert (line["number"], line["label"]) == (ada.number, ada.label)
