"""`kill -9` at every step of a greeting that is said on the telephone: `./pico bench --greeting-kills TIMES`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from application.outbound_calls import AppCall
from application.use_cases import UseCases
from application.voicemail_receiving import InboundVoicemail
from benchmarks.recording_kills import killed, left_behind
from benchmarks.tripwires import AUDIO, Ground, ground_in
from domain.call_instructions import RecordGreeting
from domain.greetings import Greeting, GreetingId
from domain.kernel import AccountId, CarrierRef, LineId
from domain.values import Label, PhoneNumber

NUMBER = PhoneNumber("+12025550143")


class Told(NamedTuple):
    """What the carrier's webhooks say: of which recording. `before` is what callers heard when it was made."""

    recording: CarrierRef
    before: set[GreetingId]

    async def tell(self, use_cases: UseCases) -> None:
        """Say it twice."""
        for _ in range(2):
            await use_cases.receive_voicemail(InboundVoicemail(self.recording))


async def said(ground: Ground, account: AccountId, line_id: LineId) -> Told:
    """Have the line's own person call it from the app, and say a greeting."""
    app = await ground.product.outside.call_clients.identity(account, line_id)
    call = ground.new_call()
    answer = await ground.product.use_cases.answer_app(AppCall(CarrierRef(call), app, str(NUMBER)))
    if answer.instructions != (RecordGreeting(),):
        raise RuntimeError("nobody was asked for a greeting")
    before = {greeting.id for greeting in await _greetings(ground, account, line_id)}
    return Told(CarrierRef(await ground.recorded(f"client:{app}", NUMBER, call=call)), before)


async def _greetings(ground: Ground, account: AccountId, line_id: LineId) -> list[Greeting]:
    async with ground.product.outside.store.begin(account) as tx:
        return await tx.greetings.of_line(line_id)


async def broken_of(ground: Ground, account: AccountId, line_id: LineId, told: Told) -> list[str]:
    """Return what is lost, twice, or left behind: callers hear the one that was said last, and there is no other."""
    greetings = await _greetings(ground, account, line_id)
    found = [] if len(greetings) == 1 else [f"there are {len(greetings)} of it"]
    for greeting in greetings:
        audio = b""
        if greeting.is_heard:
            async with ground.product.outside.objects.open(account, greeting.object_id) as kept:
                audio = b"".join([piece async for piece in kept.read()])
        if audio != AUDIO or greeting.id in told.before:
            found.append(f"its audio is lost: {greeting.state}")
        if greeting.ref is not None:
            found.append("it is not known that the carrier's copy is gone")
    if (await ground.product.use_cases.list_voicemails(account, None, None, 1)).items:
        found.append("it is a voicemail")
    return found + await left_behind(ground, account, {greeting.object_id for greeting in greetings})


async def kills(times: int, folder: Path, say: Callable[[str], None], every: int = 1) -> int:
    """Kill `times` times at each step, or each `every`th; return how many promises were broken; each is told."""
    async with ground_in(folder, "benchmarks.recording_kills") as ground:
        account = await ground.somebody("ada")
        line = (await ground.product.use_cases.buy_line(account, NUMBER, Label("Work"), "buy")).line
        return await killed(
            ground, lambda: said(ground, account, line.id), lambda told: broken_of(ground, account, line.id, told),
            times, say, every,
        )  # fmt: skip
