"""The address book: whoever is there already is known again, nothing that somebody wrote is lost."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from application.contacts import Correction, Saved
from bootstrap.worlds import InMemory
from domain.contacts import (
    Card,
    Contact,
    ContactName,
    ContactNote,
    ContactNumber,
    ContactNumbers,
    InvalidContactName,
    InvalidContactNumber,
    InvalidContactNumbers,
    SavedNumber,
    TooManyContacts,
)
from domain.idempotency import IdempotencyMismatch
from domain.kernel import AccountId, ChangedMeanwhile, NotFound
from domain.values import Locale
from tests.support.actors import Person, sign_up

MOBILE, HOME = "+972542345678", "+97231234567"


def card(name: str, *numbers: str, note: str | None = None) -> Card:
    return Card(
        ContactName(name),
        ContactNumbers.of(map(SavedNumber, numbers)),
        None if note is None else ContactNote(note),
    )


async def adds(ada: Person, new: Card, key: str | None = None) -> Saved:
    return await ada.world.use_cases.add_contact(ada.id, new, key or ada.world.ids.new().hex)


async def book(ada: Person) -> list[Contact]:
    return (await ada.world.use_cases.list_contacts(ada.id, None, 1000)).items


async def whose(ada: Person, number: str) -> list[str]:
    """Return who is found by a number."""
    async with ada.world.store.begin(ada.id) as tx:
        return [str(of.contact.name) for of in await tx.contacts.holders([SavedNumber(number)])]


@pytest.mark.parametrize(
    ("written", "locale_of", "kept"),
    [
        ("+1 (202) 555-0143", "en", "+12025550143"),
        ("054-234-5678", "he-IL", MOBILE),
        ("054-234-5678", "en", "054-234-5678"),
        ("054-234-5678", "en-US", "054-234-5678"),
        ("\u0660\u0665\u0664-\u0662\u0663\u0664-\u0665\u0666\u0667\u0668", "ar-IL", MOBILE),
        ("*2700", "he-IL", "*2700"),
        ("1234567", "en-US", "1234567"),
        ("+1 202 555 0143 ext. 89", "en", "+1 202 555 0143 ext. 89"),
        ("+1 202 555 0143,,1234#", "en", "+1 202 555 0143,,1234#"),
        ("1-800-FLOWERS", "en-US", "+18003569377"),
        ("+999 123", "en", "+999 123"),
    ],
)
async def test_a_number_becomes_e164_where_it_is_valid(written: str, locale_of: str, kept: str) -> None:

    ada = await sign_up(InMemory())
    await ada.world.use_cases.change_profile(ada.id, None, Locale(locale_of))
    saved = await adds(ada, card("Noa", written))
    assert saved.contact.numbers.each == (kept,)
    assert await whose(ada, kept) == ["Noa"]


async def test_one_person_is_kept_once_by_number_and_a_name_that_agrees() -> None:
    ada = await sign_up(InMemory())
    first = (await adds(ada, card("Noa", MOBILE, note="climbs"))).contact
    again = (await adds(ada, card("Noa Cohen", HOME, "+972 54-234-5678", note="sings"))).contact
    assert again.id == first.id
    (noa,) = await book(ada)
    assert (noa.name, noa.numbers.each, noa.note) == ("Noa Cohen", (MOBILE, HOME), "climbs\nsings")
    assert await whose(ada, HOME) == ["Noa Cohen"]
    await adds(ada, card("noa", MOBILE, note="climbs"))
    assert await book(ada) == [noa], "nothing new: nothing written"


async def test_people_who_share_a_number_stay_apart_and_the_first_is_shown() -> None:
    ada = await sign_up(InMemory())
    mum = (await adds(ada, card("Mum", HOME))).contact
    dad = (await adds(ada, card("Dad", MOBILE, HOME))).contact
    assert mum.id != dad.id
    assert await whose(ada, HOME) == ["Mum", "Dad"]
    await adds(ada, card("Dad", HOME))
    assert len(await book(ada)) == 2
    await ada.world.use_cases.delete_contact(ada.id, mum.id)
    assert await whose(ada, HOME) == ["Dad"]
    await adds(ada, card("Mum", HOME))
    assert await whose(ada, HOME) == ["Dad", "Mum"]


async def test_what_does_not_fit_into_one_contact_stays_its_own() -> None:
    ada = await sign_up(InMemory())
    many = [f"+9725412345{n:02}" for n in range(ContactNumbers.MOST)]
    await adds(ada, card("Noa", *many))
    await adds(ada, card("Noa", many[0], HOME))
    await adds(ada, card("Noa", HOME, note="x" * ContactNote.LONGEST))
    await adds(ada, card("Noa", HOME, note="y"))
    notes = [contact.note and contact.note[:1] for contact in await book(ada)]
    assert notes == ["y", "x", None]
    assert sorted(len(contact.numbers.each) for contact in await book(ada)) == [1, 2, 20]


async def test_a_correction_moves_what_leads_to_a_contact() -> None:
    ada, other = InMemory(), "+12025550143"
    person = await sign_up(ada)
    noa = (await adds(person, card("Noa", MOBILE, HOME, note="climbs"))).contact
    change = ada.use_cases.change_contact
    changed = await change(
        person.id, noa.id, Correction(numbers=ContactNumbers.of(map(SavedNumber, (HOME, other))))
    )
    assert (changed.name, changed.numbers.each, changed.note) == ("Noa", (HOME, other), "climbs")
    assert [await whose(person, number) for number in (MOBILE, HOME, other)] == [[], ["Noa"], ["Noa"]]
    with pytest.raises(ChangedMeanwhile):
        await change(person.id, noa.id, Correction(name=ContactName("N")), frozenset({noa.version}))
    assert (await change(person.id, noa.id, Correction(note=ContactNote("")), frozenset({2}))).note is None
    await ada.use_cases.delete_contact(person.id, noa.id)
    assert ada.store.rows(person.id)[ContactNumber] == {}
    for gone in (ada.use_cases.read_contact, ada.use_cases.delete_contact):
        with pytest.raises(NotFound):
            await gone(person.id, noa.id)


async def test_one_key_adds_once() -> None:
    ada = await sign_up(InMemory())
    first = await adds(ada, card("Noa", HOME), "key")
    again = await adds(ada, card("Noa", HOME), "key")
    assert (again.contact.id, first.repeated, again.repeated) == (first.contact.id, False, True)
    with pytest.raises(IdempotencyMismatch):
        await adds(ada, card("Noa", MOBILE), "key")


async def test_requests_at_once_make_one_contact() -> None:
    ada = await sign_up(InMemory())
    saved = await asyncio.gather(*(adds(ada, card("Noa", HOME)) for _ in range(8)))
    assert len({one.contact.id for one in saved}) == len(await book(ada)) == 1


async def test_an_address_book_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("application.contacts.MOST_CONTACTS", 2)
    ada = await sign_up(InMemory())
    for number in (MOBILE, HOME):
        await adds(ada, card("Noa", number))
    with pytest.raises(TooManyContacts):
        await adds(ada, card("Noa", "+12025550143"))
    await adds(ada, card("Noa", HOME, "+12025550143"))
    assert len(await book(ada)) == 2


@pytest.mark.parametrize("name", ["", " ", " Noa", "Noa ", "N\u200boa", "No\na", "x" * 129, "\u202eNoa"])
def test_a_name_that_hides_something_is_refused(name: str) -> None:
    with pytest.raises(InvalidContactName):
        ContactName.parse(name)


@pytest.mark.parametrize("number", ["", "home", " 1", "1\n2", "1" * 41, "\u202e12"])
def test_a_number_has_a_digit_and_hides_nothing(number: str) -> None:
    with pytest.raises(InvalidContactNumber):
        SavedNumber.parse(number)


def test_a_contact_has_a_number() -> None:
    for numbers in ([], [SavedNumber(f"{n}") for n in range(21)]):
        with pytest.raises(InvalidContactNumbers):
            ContactNumbers.of(numbers)


NAMES = st.sampled_from(["Noa", "noa cohen", "Noa Cohen", "Mum", "Dad", "\u05e0\u05d5\u05e2\u05d4"])
NUMBERS = st.lists(st.sampled_from([MOBILE, HOME, "*2700", "03-111", "+12025550143"]), min_size=1, max_size=3)
CARDS = st.builds(lambda name, numbers, note: card(name, *numbers, note=note), NAMES, NUMBERS,
                  st.sampled_from([None, "climbs", "sings"]))  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(CARDS, max_size=12))
def test_nothing_is_lost_and_nothing_is_kept_twice(cards: list[Card]) -> None:
    async def run() -> None:
        ada = await sign_up(InMemory())
        for one in cards:
            await adds(ada, one)
        kept = {(c.id, c.name, c.numbers, c.note) for c in await book(ada)}
        for one in cards:
            assert any(
                c.name.agrees_with(one.name)
                and {n.canonical for n in one.numbers.each} <= {n.canonical for n in c.numbers.each}
                and (one.note or "") in (c.note or "")
                for c in await book(ada)
            ), "something that was saved is lost"
        for one in cards:
            await adds(ada, one)
        assert {(c.id, c.name, c.numbers, c.note) for c in await book(ada)} == kept, "saved twice"
        await consistent(ada)

    asyncio.run(run())


async def consistent(ada: Person) -> None:
    """Fail unless every number leads to whoever has it, each at a place of their own, and to nobody else."""
    rows = ada.world.store.rows(AccountId(ada.id))
    entries = [row for row in rows[ContactNumber].values() if isinstance(row, ContactNumber) and row.number]
    leads = {(row.contact_id, row.number.canonical) for row in entries if row.number}
    has = {(c.id, number.canonical) for c in await book(ada) for number in c.numbers.each}
    assert leads == has
    assert len({(row.number.canonical, row.place) for row in entries if row.number}) == len(entries)


async def test_a_lost_race_is_run_again() -> None:
    ada = await sign_up(InMemory())
    ada.world.store.lose_next = True
    await adds(ada, card("Noa", HOME))
    await consistent(ada)
