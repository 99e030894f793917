"""A new version of a document is asked about again, and what was accepted is known by version and time."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from application.inventory import BY_TYPE
from bootstrap.worlds import InMemory
from domain.accounts import Account
from domain.audit import AuditEntry, AuditKind
from domain.documents import Documents, OtherVersion
from tests.support.actors import PASSWORD, Person, sign_up
from tests.support.archives import export_in

LATER = timedelta(days=3)
NEWER = Documents(terms=2, privacy=4)


async def told(person: Person) -> Account:
    return await person.world.use_cases.read_account(person.id)


async def kinds(person: Person) -> list[AuditKind]:
    async with person.world.store.begin(person.id) as tx:
        return [entry["kind"] for entry in await tx.records.page(BY_TYPE[AuditEntry], None, 100)]


async def test_who_signs_up_accepts_the_versions_that_hold(world: InMemory) -> None:
    ada = await sign_up(world)
    account, now = await told(ada), world.clock.now()
    assert (account.terms_version, account.privacy_version) == (1, 3)
    assert (account.terms_accepted_at, account.privacy_accepted_at) == (now, now)


async def test_each_document_is_accepted_for_itself_with_its_time(world: InMemory) -> None:
    ada = await sign_up(world)
    began = world.clock.now()
    world.documents = NEWER
    world.wire()
    world.clock.advance(LATER)
    account = await world.use_cases.accept_documents(ada.id, None, 4)
    assert (account.terms_version, account.privacy_version) == (1, 4)
    assert (account.terms_accepted_at, account.privacy_accepted_at) == (began, began + LATER)
    assert AuditKind.PRIVACY_ACCEPTED in await kinds(ada)
    assert AuditKind.TERMS_ACCEPTED not in await kinds(ada)
    await world.use_cases.accept_documents(ada.id, 2, None)
    assert AuditKind.TERMS_ACCEPTED in await kinds(ada)


async def test_what_was_accepted_keeps_its_time_and_only_what_holds_can_be_accepted(world: InMemory) -> None:
    ada = await sign_up(world)
    before, audited = await told(ada), await kinds(ada)
    world.clock.advance(LATER)
    again = await world.use_cases.accept_documents(ada.id, 1, 3)
    assert again.privacy_accepted_at == before.privacy_accepted_at
    assert await kinds(ada) == audited
    for terms, privacy in ((2, None), (None, 2), (1, 4), (0, None)):
        with pytest.raises(OtherVersion):
            await world.use_cases.accept_documents(ada.id, terms, privacy)
    assert await told(ada) == again


async def test_the_export_shows_what_was_accepted(world: InMemory) -> None:
    ada = await sign_up(world)
    export = await world.use_cases.start_export(ada.id)
    await world.settle()
    chunks = await world.use_cases.download_export(ada.id, export.id, PASSWORD)
    exported = export_in(b"".join([chunk async for chunk in chunks]))
    assert '"privacy_version": 3' in json.dumps(exported)
    assert '"terms_version": 1' in json.dumps(exported)
