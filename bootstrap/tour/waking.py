"""The act of the push: a telephone is woken when a message comes, and told nothing."""

from __future__ import annotations

import secrets

from bootstrap.tour.stage import Stage
from bootstrap.tour.traveller import Traveller, canary, until
from bootstrap.tour_failed import TourFailed


async def wake_a_telephone(stage: Stage, who: Traveller, sender: str) -> None:
    """Register a telephone, have a message come in, and look at what Apple was told. Raises TourFailed."""
    token = who.plant("push token", secrets.token_hex(32))
    await who.ask("POST", "/v1/push-tokens", {"platform": "ios", "device_token": token})
    body = who.plant("message to be woken by", canary("Are you awake?"))
    await who.ask("POST", "/sandbox/sms", {"from": sender, "to": who.line["number"], "body": body})

    async def woken() -> int:
        return int((await who.ask("GET", "/sandbox/providers"))["push"]["apns"])

    times = await until("the push", woken)
    told = stage.sandbox.push.payloads[-1]
    if times != 1 or any(value in str(told) for value in who.planted.values()):
        raise TourFailed("a push says more than that there is something")
    stage.tell(f"Apple woke it {times} time, over HTTP/2, with all that it ever says: {told}")
