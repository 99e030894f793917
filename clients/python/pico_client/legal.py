"""What anybody can check for themselves."""

from __future__ import annotations

from dataclasses import dataclass

from pico_client.calls import Calls
from pico_client.results import Result


@dataclass(frozen=True, slots=True, repr=False)
class PublicKey(Result):
    """A key to check signatures with: 32 bytes in hexadecimal."""

    algorithm: str
    public_key: str


@dataclass(frozen=True, slots=True, repr=False)
class PublicKeys(Result):
    """The keys of an installation."""

    keys: list[PublicKey]


@dataclass(frozen=True, slots=True, repr=False)
class PolicyProof(Result):
    """A test that holds a clause."""

    test: str
    saboteur: str
    says: str


@dataclass(frozen=True, slots=True, repr=False)
class PolicyClause(Result):
    """A sentence of the privacy policy, and what holds it."""

    clause: str
    sentence: str
    language: str
    state: str
    reason: str | None
    evidence: str | None
    proofs: list[PolicyProof]


@dataclass(frozen=True, slots=True, repr=False)
class PrivacyPolicy(Result):
    """The privacy policy in force."""

    policy_version: int
    updated_on: str
    clauses: list[PolicyClause]


class Legal(Calls):
    """What one asks before one believes."""

    def read_public_keys(self) -> PublicKeys:
        """Read the keys that receipts of erasures, and the ends of the audit log's chains, are signed under."""
        return self._ask(PublicKeys, "GET", "/legal/keys")

    def read_privacy_policy(self, lang: str | None = None) -> PrivacyPolicy:
        """Read the privacy policy: each clause, where it stands, and what proves it. English binds."""
        return self._ask(PrivacyPolicy, "GET", "/legal/privacy.json", query={"lang": lang})
