"""Clauses that hold by how things are declared: no world has to be started to see them kept or broken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from adapters.outbound.memory.keyring import MemoryKeyring
from adapters.outbound.system.tokens import SignedTokens
from application.inventory import INVENTORY
from bootstrap.policy import PolicyError, Proof, faults, parse
from domain.classification import Field, IndexScope, StorageKind
from domain.kernel import AccountId
from tests.support.proofs import proves

ACCOUNT = AccountId(UUID(int=1))
NOW = datetime(2026, 1, 1, tzinfo=UTC)

Fields = dict[str, Field]
Build = Callable[[str, Sequence[Proof]], Sequence[str]]


@pytest.fixture
def fields() -> Fields:
    """Every field Pico stores, by `record.field`."""
    return {f"{record.name}.{column.name}": column for record in INVENTORY for column in record.columns}


@pytest.fixture
def build() -> Build:
    """What the build says of a policy and its proofs."""
    return lambda markdown, proofs: faults(parse(markdown), proofs)


@pytest.fixture
def tokens() -> SignedTokens:
    return SignedTokens(MemoryKeyring())


def never_complains(build: Build) -> Build:
    return lambda _markdown, _proofs: ()


@proves("H1", text="43f2369054b4", saboteur=never_complains, says="a sentence without proof passed")
def test_no_sentence_without_proof_passes_the_build(build: Build) -> None:
    assert build("- **C1** We keep it.", []), "a sentence without proof passed"
    assert build("- **C1** We sell it.", [Proof("C1", "the hash of another wording", "test_kept", "forgets")])
    with pytest.raises(PolicyError):
        build("We also keep this.", [])


def hides_messages(fields: Fields) -> Fields:
    body = fields["messages.body"]
    return fields | {"messages.body": replace(body, policy=replace(body.policy, exported=False))}


@proves("H16", text="aa9fe4b0a581", saboteur=hides_messages, says="content is withheld from the export")
def test_all_content_but_secrets_is_exported(fields: Fields) -> None:
    withheld = {
        name
        for name, column in fields.items()
        if column.policy.kind is StorageKind.SEALED and not column.policy.exported
    }
    assert withheld == {
        "accounts.password",
        "audit_entries.salt",
        "export_parts.content",
        "sessions.fingerprint",
    }, "content is withheld from the export"


def finds_people_by_peer(fields: Fields) -> Fields:
    peer = fields["conversations.peer"]
    return fields | {
        "conversations.peer": replace(peer, policy=replace(peer.policy, index=IndexScope.SYSTEM))
    }


@proves(
    "H23",
    text="84d70d9be7c9",
    saboteur=finds_people_by_peer,
    says="something else is comparable across accounts",
)
def test_only_what_finds_an_account_is_comparable_across_accounts(fields: Fields) -> None:
    everywhere = {name for name, column in fields.items() if column.policy.index is IndexScope.SYSTEM}
    assert everywhere == {"accounts.email", "accounts.place", "phone_lines.number", "sessions.token"}, (
        "something else is comparable across accounts"
    )


@dataclass(frozen=True)
class StoppedClock:
    """Tokens that always look as if no time had passed."""

    tokens: SignedTokens

    async def verification(self, account_id: AccountId, expires_at: datetime) -> str:
        return await self.tokens.verification(account_id, expires_at)

    async def verified(self, token: str, now: datetime) -> AccountId | None:
        return await self.tokens.verified(token, min(now, NOW))


@proves("H17", text="faaf667c498b", saboteur=StoppedClock, says="a link does not expire")
async def test_a_confirmation_link_is_signed_and_expires(tokens: SignedTokens) -> None:
    tomorrow = NOW + timedelta(days=1)
    token = await tokens.verification(ACCOUNT, tomorrow)
    forged = await SignedTokens(MemoryKeyring()).verification(ACCOUNT, tomorrow)
    assert await tokens.verified(token, tomorrow - timedelta(seconds=1)) == ACCOUNT
    assert await tokens.verified(token, tomorrow) is None, "a link does not expire"
    assert await tokens.verified(forged, NOW) is None
