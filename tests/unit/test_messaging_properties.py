"""Laws of messaging: receipts in any order end the same, what is deleted stays so, keywords are heard."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.failures import FailureReason
from domain.kernel import AccountId, CarrierRef, ConversationId, Event, LineId, MessageId
from domain.keywords import START_WORDS, STOP_WORDS, OptOut, opt_out_of
from domain.messages import (
    RANK,
    Conversation,
    Message,
    MessageAccepted,
    MessageAdvanced,
    MessageDeleted,
    MessageFinal,
    MessageReceived,
    MessageUnconfirmed,
    PeerOptedOut,
    Sent,
    Status,
)
from domain.values import MessageBody, Peer

laws = settings(max_examples=40, deadline=None)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
Report = tuple[Status, FailureReason | None]
ON_THE_WAY: list[Report] = [(Status.QUEUED, None), (Status.SENDING, None), (Status.SENT, None)]
ENDS: list[Report] = [
    (Status.DELIVERED, None),
    (Status.FAILED, FailureReason.REJECTED),
    (Status.FAILED, FailureReason.UNKNOWN),
]
on_the_way = st.lists(st.sampled_from(ON_THE_WAY), max_size=5)
ends = st.sampled_from(ENDS)
instants = st.integers(0, 10**6).map(lambda seconds: NOW + timedelta(seconds=seconds))


def conversation() -> Conversation:
    ids = AccountId(UUID(int=1)), ConversationId(UUID(int=2)), LineId(UUID(int=3))
    return Conversation.open(*ids, Peer("+13105550178"), NOW)


def sent() -> Message:
    """Return a message that the carrier has taken."""
    message = conversation().send(MessageId(UUID(int=4)), MessageBody("hi"), NOW)
    message.adopt(Sent(CarrierRef("SM1"), Status.QUEUED), NOW)
    message.collect()
    return message


def calls(message: Message) -> list[type[Event]]:
    """Return what happened that calls for work: that a status changed is only told, once for each change."""
    return [type(event) for event in message.collect() if not isinstance(event, MessageAdvanced)]


def end_of(
    reports: list[Report], message: Message | None = None
) -> tuple[Status, FailureReason | None, list[type]]:
    """Return what is left of a message after these receipts: status, failure, what happened."""
    message = message or sent()
    for status, failure in reports:
        message.advance(status, failure, NOW)
    return message.status, message.failure, calls(message)


@laws
@given(reports=on_the_way, end=ends | st.none(), data=st.data())
def test_any_order_and_any_repetition_of_the_same_reports_end_the_same(
    reports: list[Report], end: Report | None, data: st.DataObject
) -> None:
    told = [*reports, *([end] if end else [])]
    again = data.draw(st.lists(st.sampled_from(told), max_size=6)) if told else []
    shuffled = data.draw(st.permutations([*told, *again]))
    assert end_of(list(shuffled)) == end_of(told)


@laws
@given(before=on_the_way, first=ends, between=on_the_way, second=ends, after=on_the_way)
def test_of_two_ends_the_first_stands(
    before: list[Report], first: Report, between: list[Report], second: Report, after: list[Report]
) -> None:
    assert end_of([*before, first, *between, second, *after]) == (*first, [MessageFinal])


@laws
@given(before=on_the_way, after=on_the_way, late=ends | st.none())
def test_what_was_given_up_is_unconfirmed_until_a_late_word_comes(
    before: list[Report], after: list[Report], late: Report | None
) -> None:
    message = sent()
    assert end_of(before, message)[2] == []
    for _ in range(2):
        message.give_up(NOW)
    assert message.is_settled
    assert end_of(after, message) == (
        Status.UNCONFIRMED,
        FailureReason.UNCONFIRMED,
        [MessageUnconfirmed],
    )
    if late is not None:
        assert end_of([late], message) == (*late, [MessageFinal])
        message.give_up(NOW)
        assert end_of([], message) == (*late, [])


def test_what_the_carrier_never_heard_of_has_failed_when_it_is_given_up() -> None:
    message = conversation().send(MessageId(UUID(int=4)), MessageBody("hi"), NOW)
    message.give_up(NOW)
    assert (message.status, message.failure) == (Status.FAILED, FailureReason.CARRIER_OUTAGE)


@laws
@given(reports=st.lists(st.sampled_from(ON_THE_WAY + ENDS), max_size=8))
def test_rank_never_falls_and_the_end_is_told_at_most_once(reports: list[Report]) -> None:
    message, settled = sent(), 0
    for status, failure in reports:
        rank = message.status.rank
        message.advance(status, failure, NOW)
        assert message.status.rank == max(rank, status.rank)
        settled += sum(isinstance(event, MessageFinal) for event in message.collect())
    assert settled == message.status.terminal


@laws
@given(reports=st.lists(st.sampled_from(ON_THE_WAY + ENDS), min_size=1, max_size=8))
def test_a_received_message_hears_no_reports(reports: list[Report]) -> None:
    ref = CarrierRef("SM1")
    message = conversation().receive(MessageId(UUID(int=4)), MessageBody(""), ref, None, NOW)
    assert [type(event) for event in message.collect()] == [MessageReceived]
    assert end_of(reports, message) == (Status.RECEIVED, None, [])


def test_every_status_has_a_rank_and_only_the_last_rank_is_terminal() -> None:
    assert set(RANK) == set(Status)
    assert {status for status in Status if status.terminal} == {
        Status.CANCELED,
        Status.DELIVERED,
        Status.FAILED,
        Status.RECEIVED,
    }


def test_being_accepted_again_keeps_the_first_reference() -> None:
    message = sent()
    message.adopt(Sent(CarrierRef("SM2"), Status.SENT), NOW)
    assert (message.ref, message.status, calls(message)) == ("SM1", Status.SENT, [])


def test_a_message_that_failed_before_the_carrier_took_it_leaves_no_copy_to_purge() -> None:
    message = conversation().send(MessageId(UUID(int=4)), MessageBody("hi"), NOW)
    message.collect()
    message.advance(Status.FAILED, FailureReason.OPTED_OUT, NOW)
    assert calls(message) == []
    assert not message.has_carrier_copy


def test_what_the_carrier_took_is_known_at_once() -> None:
    message = conversation().send(MessageId(UUID(int=4)), MessageBody("hi"), NOW)
    message.collect()
    message.adopt(Sent(CarrierRef("SM1"), Status.DELIVERED), NOW)
    assert calls(message) == [MessageAccepted, MessageFinal]
    assert message.has_carrier_copy


@laws
@given(moments=st.lists(instants, min_size=1, max_size=5))
def test_the_first_attempt_is_the_one_on_record(moments: list[datetime]) -> None:
    message = conversation().send(MessageId(UUID(int=4)), MessageBody("hi"), NOW)
    for at in moments:
        message.attempt(at)
    assert message.attempted_at == moments[0]


@laws
@given(moments=st.lists(instants, min_size=1, max_size=5))
def test_deleting_again_changes_nothing(moments: list[datetime]) -> None:
    message = sent()
    for at in moments:
        message.delete(at)
    assert (message.body, message.deleted_at) == ("", moments[0])
    assert [type(event) for event in message.collect()] == [MessageDeleted]


@laws
@given(moments=st.lists(st.tuples(st.booleans(), instants), min_size=1, max_size=8))
def test_a_conversation_is_as_lively_as_its_latest_message(moments: list[tuple[bool, datetime]]) -> None:
    talk = conversation()
    for number, (inbound, at) in enumerate(moments):
        message_id = MessageId(UUID(int=number))
        if inbound:
            talk.receive(message_id, MessageBody("x"), CarrierRef(f"SM{number}"), None, at)
        else:
            talk.send(message_id, MessageBody("x"), at)
    latest = max(at for _, at in moments)
    assert latest <= talk.last_at <= latest + len(moments) * timedelta(milliseconds=1)
    assert talk.unread == sum(inbound for inbound, _ in moments)
    talk.mark_read(latest)
    assert talk.unread == 0


words = st.sampled_from(sorted(STOP_WORDS | START_WORDS))
spaces = st.text(alphabet=" \t\r\n", max_size=3)


@laws
@given(word=words, before=spaces, after=spaces, data=st.data())
def test_a_keyword_is_heard_in_any_case_and_with_any_space_around_it(
    word: str, before: str, after: str, data: st.DataObject
) -> None:
    written = "".join(data.draw(st.sampled_from([c.lower(), c])) for c in word)
    assert opt_out_of(before + written + after) is (OptOut.STOP if word in STOP_WORDS else OptOut.START)


@laws
@given(
    word=words,
    more=st.text(alphabet="abc ", min_size=1).filter(str.strip),
)
def test_a_keyword_among_other_words_is_not_one(word: str, more: str) -> None:
    assert opt_out_of(f"{word} {more}") is None
    assert opt_out_of(f"{more} {word}") is None


def test_the_keywords_are_the_carriers() -> None:
    assert {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"} == STOP_WORDS
    assert {"START", "YES", "UNSTOP"} == START_WORDS
    assert opt_out_of("HELP") is None


@laws
@given(asked=st.lists(st.sampled_from([OptOut.STOP, OptOut.START, None]), max_size=6))
def test_the_last_word_on_opting_out_counts(asked: list[OptOut | None]) -> None:
    talk = conversation()
    for number, opt_out in enumerate(asked):
        talk.receive(MessageId(UUID(int=number)), MessageBody("x"), CarrierRef(f"SM{number}"), opt_out, NOW)
    stopped = [opt_out for opt_out in asked if opt_out][-1:] == [OptOut.STOP]
    assert (talk.opted_out_at is not None) == stopped
    if stopped:
        with pytest.raises(PeerOptedOut):
            talk.send(MessageId(UUID(int=99)), MessageBody("x"), NOW)
    else:
        talk.send(MessageId(UUID(int=99)), MessageBody("x"), NOW)


def test_apps_are_told_when_a_scheduled_message_sets_out_or_is_taken_back() -> None:
    for move in (Message.attempt, Message.cancel):
        message = conversation().send(
            MessageId(UUID(int=4)), MessageBody("hi"), NOW, send_at=NOW + timedelta(hours=1)
        )
        message.collect()
        for _ in range(2):
            move(message, NOW)
        assert [type(event) for event in message.collect()] == [MessageAdvanced]
