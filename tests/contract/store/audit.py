"""Promises about the audit log: two halves, of which erasure takes one."""

from __future__ import annotations

from dataclasses import replace

from tests.contract.store.world import INSTANT, World


class AuditPromises:
    async def test_an_audit_entry_opens_its_commitment_and_no_other(self, world: World) -> None:
        has, other = await world.belongings(), await world.belongings()
        log = await world.public_log()
        entries = [*await world.entries(has.account_id), *await world.entries(other.account_id)]
        assert len(entries) == len(log) == 4
        for entry in entries:
            assert entry.commitment in log
            assert replace(entry, at=entry.at + INSTANT).commitment not in log
        assert len({entry.salt for entry in entries}) == 4

    async def test_erasure_takes_an_accounts_half_of_the_audit_log_and_no_more(self, world: World) -> None:
        has = await world.belongings()
        log = await world.public_log()
        await world.keyring.destroy(has.account_id)
        await world.store.delete_rows(has.account_id)
        assert await world.public_log() == log
        assert (await world.store.count_rows(has.account_id))["audit_entries"] == 0
