"""The tour's act of calls: one that Ada misses, one that she takes, and one to herself."""

from __future__ import annotations

from typing import Any

from bootstrap.tour.stage import Stage
from bootstrap.tour.traveller import Traveller, canary, until
from bootstrap.tour_failed import TourFailed


async def take_calls(stage: Stage, ada: Traveller, caller: str) -> None:
    """Let somebody call Ada twice: she takes the one, and hears the other as a voicemail. Raises TourFailed."""
    left = ada.plant("voicemail", canary("Call me back about the flat"))
    for outcome, voicemail in (("answered", None), ("no_answer", left)):
        call = {"from": caller, "to": ada.line["number"], "outcome": outcome}
        await ada.ask(
            "POST", "/sandbox/calls", call if voicemail is None else call | {"voicemail": voicemail}
        )
    calls = (await ada.ask("GET", "/v1/calls"))["items"]
    if [call["outcome"] for call in calls] != ["no_answer", "answered"]:
        raise TourFailed("the calls did not come to what was played")
    for call in reversed(calls):
        stage.tell(f"{call['peer']} calls: {call['outcome']}, {call['duration']} s")

    async def kept() -> list[Any]:
        return list((await ada.ask("GET", "/v1/voicemails"))["items"])

    [voicemail] = await until("the voicemail", kept)
    stage.tell(f"and leaves a message of {voicemail['duration']} s")
    await say_a_greeting(stage, ada)


async def say_a_greeting(stage: Stage, ada: Traveller) -> None:
    """Have Ada call her own line, alone, and say what its callers hear. Raises TourFailed."""
    line = f"/v1/lines/{ada.line['id']}"
    await ada.ask_once("POST", f"{line}/calls", {"to": ada.line["number"]})

    async def heard() -> int:
        return int((await ada.ask("GET", f"{line}/greeting"))["size"])

    size = await until("the greeting", heard)
    stage.tell(f"Ada calls her own line and says its greeting, {size} bytes; nothing else was recorded")
