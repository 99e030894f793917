"""What we keep so that apps learn what happened, and for how long."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from uuid import UUID

from application.live import Begun, FollowEvents
from application.sessions import Caller
from domain.live import LiveEvent, LiveEventId
from domain.live_kinds import LiveKind
from domain.values import Label
from tests.support.canary_account import lived
from tests.support.harness import Anywhere, Databases
from tests.support.proofs import proves
from tests.support.sabotage import keeping

MOMENT, DAY = timedelta(microseconds=1), timedelta(days=1)


async def told(
    follow: FollowEvents, caller: Caller, seen: LiveEventId | None
) -> tuple[Begun, list[LiveEvent]]:
    """Return where a stream begins, and what is told of what has happened by now."""
    begun, *batches = [each async for each in follow(caller, seen, timedelta())]
    assert isinstance(begun, Begun)
    return begun, [event for each in batches if not isinstance(each, Begun) for event in each]


def notes_what_it_says(stored: Databases) -> Databases:
    return partial(
        stored,
        sql=(
            "ALTER TABLE live_events ADD COLUMN body bytea;"
            " CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN NEW.body := (SELECT body FROM messages m WHERE m.id = NEW.subject); RETURN NEW; END';"
            " CREATE TRIGGER note BEFORE INSERT ON live_events FOR EACH ROW EXECUTE FUNCTION note()"
        ),
    )


@proves(
    "C18", text="f2ba8e1c9b4f", saboteur=notes_what_it_says, says="it tells more than that something happened"
)
async def test_what_happened_is_kept_as_a_word_an_id_and_a_time(stored: Databases) -> None:
    async with stored() as world:
        ada = await lived(world)
        caller = Caller(ada.id, ada.signed_in.session.id)
        begun, _ = await told(world.use_cases.follow_events, caller, None)
        await ada.receives(ada.heard, ada.peer)
        _, (event,) = await told(world.use_cases.follow_events, caller, begun.place)
        (row,) = await world.rows("live_events", id=event.id)
        assert set(row.keys()) == {"account_id", "id", "kind", "subject", "at", "version"}, (
            "it tells more than that something happened"
        )
        assert (LiveKind(row["kind"]), row["at"]) == (LiveKind.MESSAGE_RECEIVED, world.clock.now())
        for row in await world.rows("live_events"):
            assert all(isinstance(row[name], UUID) for name in ("account_id", "id", "subject"))
            assert row["version"] == 1


def keeps_them_for_two_days(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, retention=keeping(live_event=2 * DAY))


def forgets_them_at_once(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, retention=keeping(live_event=timedelta(minutes=1)))


@proves(
    "T12", text="29ce53630931", saboteur=keeps_them_for_two_days, says="what happened is kept for too long"
)
@proves("T12", text="29ce53630931", saboteur=forgets_them_at_once, says="what happened was forgotten early")
async def test_what_happened_is_forgotten_after_a_day(anywhere: Anywhere) -> None:
    async with anywhere() as world:
        ada = await world.signed_up("ada")
        caller, follow = Caller(ada.id, ada.signed_in.session.id), world.use_cases.follow_events
        begun, _ = await told(follow, caller, None)
        await world.use_cases.change_profile(ada.id, Label("Ada"), None)
        await world.advance(DAY - MOMENT)
        _, events = await told(follow, caller, begun.place)
        assert [event.kind for event in events] == [LiveKind.ACCOUNT_CHANGED], (
            "what happened was forgotten early"
        )
        await world.advance(MOMENT)
        assert (await world.store.count_rows(ada.id))["live_events"] == 0, (
            "what happened is kept for too long"
        )
