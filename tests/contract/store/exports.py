"""Promises about exports, and about the records they are made of."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from application.inventory import BY_TYPE, INVENTORY
from application.ports.repositories.exports import Written
from domain.classification import StorageKind
from domain.messages import Message
from tests.contract.store.world import World


def as_json(value: Any) -> Any:
    """Return what JSON makes of a value; an instant matches any way of writing it."""
    if isinstance(value, datetime):
        return Moment(value)
    return value if value is None or isinstance(value, int | list) else str(value)


class Moment:
    """Equals every RFC 3339 text of one instant."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and datetime.fromisoformat(other) == self.at

    __hash__ = None  # type: ignore[assignment]  # it is only compared


class ExportPromises:
    async def test_rows_page_through_all_that_can_be_read_back_in_order_of_id(self, world: World) -> None:
        has = await world.belongings()
        await world.commit(has.account_id, *(world.new_message(has.conversation) for _ in range(3)))
        async with world.store.begin(has.account_id) as tx:
            count_records = await tx.records.count()
            for stored in INVENTORY:
                if not stored.exported:
                    continue
                found: list[dict[str, Any]] = []
                while page := await tx.records.page(stored, found[-1]["id"] if found else None, 2):
                    assert len(page) <= 2
                    assert len(found) < 99
                    found += page
                assert [row["id"] for row in found] == sorted({row["id"] for row in found})
                assert len(found) == count_records[stored.name] > 0
                readable = frozenset(
                    column.name for column in stored.columns if column.policy.kind is not StorageKind.INDEX
                )
                assert {frozenset(row) for row in found} == {readable}
            (message,) = [
                row for row in await tx.records.page(BY_TYPE[Message], None, 9) if row["id"] == has.message.id
            ]
            for name, value in message.items():
                assert value == getattr(has.message, name)
            (line,) = await tx.records.page(INVENTORY[2], None, 9)
            shown = (line["number"], line["capabilities"], line["label"])
            assert shown == (has.line.number, ["sms"], has.line.label)

    async def test_what_is_written_is_what_a_page_shows(self, world: World) -> None:
        has = await world.belongings()
        odd = 'quotes " \\ and \x01 \u2028 </script> שלום 👋'
        await world.commit(has.account_id, *(world.new_message(has.conversation, body=odd) for _ in range(3)))
        async with world.store.begin(has.account_id) as tx:
            for stored in (each for each in INVENTORY if each.exported):
                after, found = None, []
                while (page := await tx.records.written(stored, after, 2)).rows:
                    found += (rows := json.loads(f"[{page.text}]"))
                    assert (page.rows, page.broken) == (len(rows), [])
                    assert str(page.last) == rows[-1]["id"]
                    after = page.last
                plain = await tx.records.page(stored, None, 99)
                assert found == [{name: as_json(row[name]) for name in stored.exported} for row in plain]
                assert all(row.keys() == {*stored.exported} for row in found)
            assert await tx.records.written(INVENTORY[0], UUID(int=2**128 - 1), 9) == Written("", 0, None, [])

    async def test_an_exports_parts_are_read_by_position_and_dropped_together(self, world: World) -> None:
        account_id = await world.account()
        one = world.new_export(account_id)
        two = world.new_export(account_id, expires_at=world.clock.now())
        parts = [world.new_part(one, position, bytes([position])) for position in (2, 0, 1)]
        await world.commit(account_id, one, two, *parts, world.new_part(two, 0, b"other"))
        async with world.store.begin(account_id) as tx:
            read = [await tx.exports.part(one.id, position) for position in range(4)]
            assert [part and part.content for part in read] == [b"\x00", b"\x01", b"\x02", None]
        for _ in range(2):
            async with world.store.begin(account_id) as tx:
                tx.exports.remove_parts(one.id)
        async with world.store.begin(account_id) as tx:
            assert [await tx.exports.part(one.id, position) for position in range(3)] == [None] * 3
            other = await tx.exports.part(two.id, 0)
            assert other is not None
            assert other.content == b"other"
            assert (await tx.records.count())["export_parts"] == 1

    async def test_the_tally_counts_every_kind_of_record(self, world: World) -> None:
        has = await world.belongings()
        async with world.store.begin(has.account_id) as tx:
            assert await tx.records.count() == {
                "accounts": 1, "sessions": 1, "phone_lines": 1, "conversations": 2, "messages": 2, "media": 2,
                "voicemails": 1, "greetings": 1, "opt_outs": 1, "contacts": 1, "contact_numbers": 1,
                "idempotency_records": 1, "blocked_numbers": 1, "search_segments": 1, "calls": 1,
                "exports": 1, "export_parts": 1, "audit_entries": 2,
                "push_tokens": 1, "subscriptions": 1, "live_streams": 1, "live_events": 2, "webhook_endpoints": 1,
                "webhook_deliveries": 1, "port_requests": 1,
            }  # fmt: skip
