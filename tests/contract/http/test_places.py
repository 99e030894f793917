"""Whatever field of a form has a place in it: the place is kept nowhere, and told to no log."""

from __future__ import annotations

import os
import random
import string
from pathlib import Path

from structlog.testing import capture_logs

from tests.contract.conftest import Postgres
from tests.support.actors import STRANGER, with_line
from tests.support.harness import on_postgres
from tests.support.http_client import calling, the_edge

FORMS = int(os.environ.get("PICO_PLACES", "30"))
PLACE = "Zyxhaven-40213"
OURS = {"MessageSid", "From", "To", "Body", "NumMedia", "MessageStatus", "ErrorCode", "OptOutType"}
KNOWN = [
    *(f"{whose}{what}" for whose in ("From", "To", "Caller", "Called")
      for what in ("City", "State", "Zip", "Country")),
    "Latitude", "Longitude", "Address", "Label", "ProfileName", "WaId", "ForwardedFrom", "ChannelMetadata",
    "ReferralBody", "ReferralSourceUrl", "SmsStatus", "ApiVersion", "MessagingServiceSid", "RawDlrDoneDate",
    "AccountSid", "NumSegments", "ButtonText", "ChannelStatusMessage",
]  # fmt: skip


def fields(chance: random.Random) -> dict[str, str]:
    """Return some fields with the place in them: well known, made up, and one that is known in other letters."""
    made_up = ("".join(chance.choices(string.ascii_letters, k=chance.randint(1, 20))) for _ in range(3))
    names = {*chance.sample(KNOWN, 6), *made_up, chance.choice(["from", "BODY", "Body ", "To[]", "media"])}
    return {name: f"{chance.choice(['', '1 '])}{PLACE}" for name in names - OURS}


async def test_no_field_of_a_form_brings_a_place_in(postgres: Postgres, tmp_path: Path) -> None:
    chance = random.Random(9)
    async with on_postgres(postgres, tmp_path) as world, calling(the_edge(world)) as carrier:
        ada = await with_line(world)
        sent = await ada.sends("hello")
        await world.settle()
        ref = (await ada.keeps(sent.id)).ref
        assert ref is not None
        statuses: set[int] = set()
        with capture_logs() as logs:
            for number in range(FORMS):
                came = {"From": STRANGER, "To": str(ada.number), "Body": "hi", "NumMedia": "0"}
                came |= {"MessageSid": f"SM{number:032x}"} | fields(chance)
                became = {"MessageSid": ref, "From": str(ada.number), "To": STRANGER, "MessageStatus": "sent"}
                statuses.add((await carrier.webhook("/webhooks/twilio/sms", came))[0])
                statuses.add(
                    (await carrier.webhook("/webhooks/twilio/message-status", became | fields(chance)))[0]
                )
            await world.settle()
        assert 200 in statuses
        assert len(await world.rows("messages")) > FORMS // 2, "hardly any form was taken in"
        opened = await world.opened(ada.id)
        assert "'hi'" in opened, "this would see nothing"
        assert PLACE not in opened, "a place is held under a seal"
        assert PLACE not in str(logs), "a place was logged"
        assert not await world.traces(PLACE), "a place lies in clear"
