"""How hard it is to guess: what a rule owes to the strength of a hash, a token, a salt or a signature."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from adapters.outbound.system.ids import TimeOrderedIds
from adapters.outbound.system.passwords import Argon2Hasher, PasswordCost
from adapters.outbound.system.tokens import CHECK_DIGITS, SESSION_PREFIX, SignedTokens, base62, checksum
from application.sign_up import BadToken, SignUp
from domain.kernel import AccountId
from domain.values import Email, Label, Locale, Password, SessionToken
from tests.contract.proofs.conftest import Product
from tests.support.canary_account import lived
from tests.support.harness import Databases, OnPostgres
from tests.support.lying_there import records
from tests.support.proofs import proves, refused

DAY = timedelta(days=1)
PASSWORD = Password("correct horse battery staple")

# ---------------------------------------------------------------------------------------------- passwords

PHC = re.compile(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$[^$]{22,}\$[^$]{43,}")
OWASP = {47_104: 1, 19_456: 2, 12_288: 3, 9_216: 4, 7_168: 5}
"""Argon2id as OWASP's cheat sheet takes it for enough: KiB of memory, and passes over them at the least."""


def hashes_cheaply(product: Product) -> Product:
    def cheap(**given: Any) -> SignUp:
        return SignUp(**given | {"hasher": Argon2Hasher(PasswordCost(memory_mib=1, passes=1, lanes=1))})

    return partial(product, replaced={"sign_up": cheap})


@proves("C2", text="9cabdf8e7a69", saboteur=hashes_cheaply, says="a password's hash is cheap to guess")
async def test_the_product_hashes_passwords_at_a_cost(product: Product) -> None:
    async with product() as sandbox:
        await sandbox.use_cases.sign_up(Email("ada@example.org"), PASSWORD, Label("Ada"), Locale("en"))
        (ada,) = await sandbox.product.outside.directory.accounts_to_erase(
            sandbox.now(), sandbox.now() + DAY, 9
        )
        phc = PHC.fullmatch((await sandbox.use_cases.read_account(ada)).password)
        assert phc, "a password's hash is not Argon2id"
        memory, passes, lanes = map(int, phc.groups())
        enough = [least for least, of_passes in OWASP.items() if memory >= least and passes >= of_passes]
        assert enough, "a password's hash is cheap to guess"
        assert lanes >= 1


# ------------------------------------------------------------------------------------------------- tokens


class ShortTokens(SignedTokens):
    """Draws 24 bits, and writes them as long as ever."""

    def session(self) -> SessionToken:
        body = SESSION_PREFIX + base62(secrets.randbits(24), 43)
        return SessionToken(body + checksum(body))


def draws_short_tokens(stored: Databases) -> Databases:
    return partial(stored, tokens=lambda world: ShortTokens(world.keyring))


@proves("C6", text="16346578aaef", saboteur=draws_short_tokens, says="a token can be guessed")
async def test_a_session_token_is_256_random_bits(stored: Databases) -> None:
    async with stored() as world:
        ada = await lived(world)
        drawn = [ada.signed_in.token, *(world.tokens.session() for _ in range(127))]
        numbers = [int_of(token.removeprefix(SESSION_PREFIX)[:-CHECK_DIGITS]) for token in drawn]
        ones = zeros = 0
        for number in numbers:
            ones, zeros = ones | number, zeros | ~number
        every_bit = (1 << 256) - 1
        assert (ones & every_bit, zeros & every_bit) == (every_bit, every_bit), "a token can be guessed"
        assert len(set(numbers)) == len(numbers)


def int_of(digits: str) -> int:
    """Read base 62: digits, capitals, small letters."""
    number = 0
    for digit in digits:
        value = ord(digit) - 48
        number = number * 62 + (value if value < 10 else value - 7 if value < 43 else value - 13)
    return number


# --------------------------------------------------------------------------------------------------- salts


class ShortSalt(TimeOrderedIds):
    """Thinks that a byte is secret enough."""

    def random_bytes(self) -> bytes:
        return secrets.token_bytes(1) + bytes(31)


class OneSalt(TimeOrderedIds):
    """Draws once."""

    def random_bytes(self) -> bytes:
        return hashlib.sha256(b"drawn once").digest()


def salts_with_a_byte(stored: Databases) -> Databases:
    return partial(stored, ids=lambda world: ShortSalt(world.clock))


def salts_once(stored: Databases) -> Databases:
    return partial(stored, ids=lambda world: OneSalt(world.clock))


@proves("H11", text="d1c66aa9fefd", saboteur=salts_with_a_byte, says="a salt can be guessed")
@proves("H11", text="d1c66aa9fefd", saboteur=salts_once, says="entries share a salt")
async def test_every_entry_is_committed_to_under_256_bits_of_its_own(stored: Databases) -> None:
    async with stored() as world:
        ada = await lived(world)
        log = {row["commitment"]: row for row in await world.rows("audit_recent")}
        entries = (await records(world, ada.id))["audit_entries"]
        assert len(entries) > 4
        for entry in entries:
            said = f"{ada.id}|{entry['id']}|{entry['kind']}|{entry['at'].isoformat()}|{entry['subject']}"
            commitment = hmac.digest(entry["salt"], said.encode(), "sha256")
            assert commitment in log, "a commitment is not made with the whole salt"
            assert len(set(entry["salt"])) > 16, "a salt can be guessed"
            assert log[commitment]["day"] == entry["at"].date()
        assert len({entry["salt"] for entry in entries}) == len(entries), "entries share a salt"


# --------------------------------------------------------------------------------------------------- links


class StoppedClock(SignedTokens):
    """Looks as if no time had passed."""

    async def verified(self, token: str, now: datetime) -> AccountId | None:
        return await super().verified(token, now - 365 * DAY)


class TakesAnySignature(SignedTokens):
    """Reads what is signed, and believes it."""

    async def verified(self, token: str, now: datetime) -> AccountId | None:
        return await super().verified(await signed_anew(self, token), now)


async def signed_anew(tokens: SignedTokens, token: str) -> str:
    raw = decoded(token)
    return written(raw[:24] + await tokens._mac(raw[:24]))


def decoded(token: str) -> bytes:
    body = token.removeprefix("pico_v1_")
    return urlsafe_b64decode(body + "=" * (-len(body) % 4))


def written(raw: bytes) -> str:
    return "pico_v1_" + urlsafe_b64encode(raw).decode().rstrip("=")


def links_never_expire(stored: Databases) -> Databases:
    return partial(stored, tokens=lambda world: StoppedClock(world.keyring))


def takes_any_signature(stored: Databases) -> Databases:
    return partial(stored, tokens=lambda world: TakesAnySignature(world.keyring))


def notes_links(stored: Databases) -> Databases:
    def noting(folder: Path) -> Callable[[OnPostgres], SignedTokens]:
        class NotesLinks(SignedTokens):
            """Keeps a copy of every link."""

            async def verification(self, account_id: AccountId, expires_at: datetime) -> str:
                token = await super().verification(account_id, expires_at)
                with (folder / "links").open("a") as links:
                    links.write(token)
                return token

        return lambda world: NotesLinks(world.keyring)

    return partial(stored, tokens=lambda world: noting(world.folder)(world))


@proves("H17", text="faaf667c498b", saboteur=links_never_expire, says="a link does not expire")
@proves("H17", text="faaf667c498b", saboteur=takes_any_signature, says="a forged link confirms an address")
@proves("H17", text="faaf667c498b", saboteur=notes_links, says="a link is stored")
async def test_a_confirmation_link_is_signed_expires_and_is_not_stored(stored: Databases) -> None:
    async with stored() as world:
        use_cases = world.use_cases
        ada, boris = Email("ada@example.org"), Email("boris@example.org")
        for email in (ada, boris):
            await use_cases.sign_up(email, PASSWORD, Label("Somebody"), Locale("en"))
        await world.settle()
        links = {mail.to: mail.link_token for mail in world.mail.sent if mail.link_token}
        raw = decoded(links[ada])
        assert await world.traces(links[ada], links[ada].removeprefix("pico_v1_")) == set(), (
            "a link is stored"
        )
        for bit in (8 * 24, 8 * len(raw) - 1, 8 * 24 - 1, 8 * 16 - 1, 0):  # signature, expiry and id
            altered = bytearray(raw)
            altered[bit // 8] ^= 1 << bit % 8
            with refused(BadToken, "a forged link confirms an address"):
                await use_cases.verify_account(written(bytes(altered)), PASSWORD)
        world.clock.advance(DAY - timedelta(seconds=1))
        await use_cases.verify_account(links[ada], PASSWORD)
        world.clock.advance(timedelta(seconds=1))
        with refused(BadToken, "a link does not expire"):
            await use_cases.verify_account(links[boris], PASSWORD)


def test_base_62_is_read_as_it_is_written() -> None:
    for number in (0, 61, 62, 2**256 - 1):
        assert int_of(base62(number, 43)) == number
