"""A carrier in memory: numbers, messages, and everything that goes wrong with them, without a wire."""

from __future__ import annotations

from typing import ClassVar

from adapters.outbound.memory.message_carrier import MemoryMessageCarrier
from adapters.outbound.memory.numbers import MemoryNumberProvider


class MemoryCarrier(MemoryNumberProvider, MemoryMessageCarrier):
    """`NumberProvider` and `MessageCarrier` in memory, with knobs. Nothing moves by itself.

    `deliver`, `receive` and `report` play the network, `decide` the provider's back office.

    Knobs, to be set at any time: `outage` (nothing is done, every method raises CarrierUnavailable), `lose_answers`
    (so many writes are done and then raise CarrierUnavailable), `lies` (release and delete_copy answer well and do
    nothing), `silent` (no webhook is called), `orders_wait` (orders are pending until `decide`), `too_early` (so many
    deletions are put off), `on_offer`, `taken`, `unreachable`, `opted_out`, and the abilities themselves.

    To look at: `calls`, the names of the operations asked for, and what is held, `numbers` and `messages`.
    `on_message` and `on_receipt` are where the carrier's webhooks would lead.
    """

    name: ClassVar[str] = "memory"
