"""Promises about what conversations are called: as the first contact that has the peer's number, as it is now."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from adapters.outbound.system.numbering import PhonenumbersPlan
from application.contacts import AddContact, ChangeContact, Correction, DeleteContact
from application.messages import ListConversations, ReadConversation
from application.ports.repositories.conversations import ConversationRow
from domain.contacts import Card, ContactId, ContactName, ContactNumbers, SavedNumber
from domain.kernel import AccountId
from domain.retention import Retention
from tests.contract.store.inbox import laws
from tests.contract.store.world import World

HOME, MOBILE, SHORT, NAMED = "+972 3-123-4567", "+13105550178", "27000", "BANK 24"
PEERS = ("+97231234567", MOBILE, SHORT, NAMED, "BANK24", "BANK")
WHICH = st.integers(0, 3)
NUMBERS = st.lists(st.sampled_from([HOME, MOBILE, SHORT, NAMED]), min_size=1, max_size=3, unique=True)
STEPS: st.SearchStrategy[tuple[str, int, list[str]]] = st.one_of(
    st.tuples(st.just("add"), st.just(0), NUMBERS),
    st.tuples(st.just("renumber"), WHICH, NUMBERS),
    st.tuples(st.sampled_from(["rename", "delete"]), WHICH, st.just(list[str]())),
)
"""What is done, to which contact, and with which numbers."""


class Book:
    """An address book, kept twice: in the store, and as plainly as can be."""

    def __init__(self, world: World, account_id: AccountId) -> None:
        self.world, self.account_id = world, account_id
        self.named: dict[ContactId, str] = {}
        self.holders: dict[str, list[ContactId]] = {}
        """Who has each number, whoever had it first in front."""
        self._names = iter(range(99))

    async def take(self, what: str, which: int, numbers: list[str]) -> None:
        if what == "add":
            self._note(await self.add(numbers), numbers)
        elif which < len(self.named):
            await self._change(what, list(self.named)[which], numbers)

    async def add(self, numbers: list[str]) -> ContactId:
        """Add a contact whose name agrees with nobody's."""
        world, name = self.world, self._new_name()
        add = AddContact(world.store, world.clock, world.ids, Retention(), PhonenumbersPlan())
        saved = await add(self.account_id, Card(name, as_saved(numbers), None), name)
        self.named[saved.contact.id] = name
        return saved.contact.id

    def called(self, peer: str) -> str | None:
        """Return what the person calls a peer."""
        holders = self.holders.get(canonical(peer))
        return self.named[holders[0]] if holders else None

    async def _change(self, what: str, who: ContactId, numbers: list[str]) -> None:
        change = ChangeContact(self.world.store, self.world.clock, self.world.ids, PhonenumbersPlan())
        if what == "rename":
            self.named[who] = self._new_name()
            await change(self.account_id, who, Correction(name=ContactName(self.named[who])))
        elif what == "renumber":
            await change(self.account_id, who, Correction(numbers=as_saved(numbers)))
            self._note(who, numbers)
        else:
            await DeleteContact(self.world.store, self.world.clock)(self.account_id, who)
            self._note(who, numbers)
            del self.named[who]

    def _note(self, who: ContactId, numbers: list[str]) -> None:
        wanted = {canonical(number) for number in numbers}
        for number in wanted | set(self.holders):
            holders = self.holders.setdefault(number, [])
            if number not in wanted:
                self.holders[number] = [other for other in holders if other != who]
            elif who not in holders:
                holders.append(who)

    def _new_name(self) -> ContactName:
        return ContactName(f"Noa{next(self._names)}")


class PeerNamePromises:
    @laws
    @given(steps=st.lists(STEPS, max_size=8))
    @example(steps=[("add", 0, [NAMED])])
    @example(steps=[("add", 0, [HOME]), ("add", 0, [HOME]), ("rename", 1, []), ("delete", 0, [])])
    async def test_conversations_are_called_as_a_plain_look_at_the_contacts_would(
        self, world: World, steps: list[tuple[str, int, list[str]]]
    ) -> None:
        line = await world.line(await world.account())
        mine, theirs = Book(world, line.account_id), Book(world, await world.account())
        await theirs.add([HOME, MOBILE, SHORT, NAMED])
        made = [world.new_conversation(line, peer) for peer in PEERS]
        await world.commit(line.account_id, *made)
        for step in steps:
            await mine.take(*step)
        rows = await listed(world, line.account_id)
        assert {row.peer: row.name for row in rows} == {peer: mine.called(peer) for peer in PEERS}
        read = ReadConversation(world.store)
        assert [await read(line.account_id, row.id) for row in rows] == rows
        async with world.store.begin(line.account_id) as tx:
            assert await tx.conversations.page(None, None, 9) == [row._replace(name=None) for row in rows]


async def listed(world: World, account_id: AccountId) -> list[ConversationRow]:
    """Return all conversations, page by page."""
    rows, place = list[ConversationRow](), None
    while True:
        page = await ListConversations(world.store)(account_id, None, place, 4)
        rows += page.items
        if (place := page.next) is None:
            return rows


def as_saved(numbers: list[str]) -> ContactNumbers:
    return ContactNumbers.of(map(SavedNumber, numbers))


def canonical(number: str) -> str:
    return "".join(character for character in number if character not in " -")
