"""Twilio's samples in any order end the same: what came in once each, and where each sent message stands."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import pytest

from tests.support.actors import sign_up
from tests.support.http_world import OURS, STRANGER, HttpWorld
from tests.support.messaging import ref_of
from tests.support.provider_files import sample_webhooks

SHUFFLES = int(os.environ.get("PICO_SHUFFLES", "2"))
LONDON = "+447700900461"
SMS, STATUS = "/webhooks/twilio/sms", "/webhooks/twilio/message-status"
UNKNOWN = "status_for_unknown_message"
ENDS = {
    "delivered_in_order": ("delivered", None),
    "delivered_before_sent": ("delivered", None),
    "duplicate_sent": ("delivered", None),
    "undelivered_30003": ("failed", "unreachable"),
    "undelivered_30005": ("failed", "unreachable"),
    "carrier_filtered_30007": ("failed", "rejected"),
    "unregistered_10dlc_30034": ("failed", "unsupported"),
    "failed_30001": ("failed", "carrier_outage"),
    "failed_unknown_code": ("failed", "unknown"),
    "sent_only_no_receipt": ("sent", None),
    "messaging_service_accepted": ("delivered", None),
}


class Webhook(NamedTuple):
    """A form, and where it goes; `of` names the sequence it belongs to, if it is of a message that we sent."""

    path: str
    form: dict[str, str]
    of: str = ""


def samples() -> list[Webhook]:
    inbound = [
        Webhook(SMS, one["form"]) for one in sample_webhooks("twilio_inbound_messages.json")["requests"]
    ]
    sequences = sample_webhooks("twilio_message_status_sequences.json")["sequences"]
    return inbound + [
        Webhook(STATUS, one["form"], name) for name, sequence in sequences.items() for one in sequence
    ]


async def played(http: HttpWorld, webhooks: Sequence[Webhook]) -> None:
    """Play them to somebody who has sent what they are about, and look at what came of it."""
    world = http.world
    ada = await sign_up(world)
    http.offer(OURS)
    http.offer(LONDON)
    await ada.with_line(LONDON)
    await ada.with_line(OURS)
    sent = {}
    for name in ENDS:
        message = await ada.sends(name, STRANGER)
        await world.settle()
        sent[name] = message.id, await ref_of(ada, message.id)
    for webhook in webhooks:
        form = dict(webhook.form)
        if webhook.of in sent:
            form["MessageSid"] = form["SmsSid"] = sent[webhook.of][1]
        else:  # the carrier in memory gives the same names as the samples have
            form = {name: value.replace("SM0", "SMf") for name, value in form.items()}
        assert (await http.webhook(webhook.path, form)).status in {200, 204}
    for name, end in ENDS.items():
        message_row = await world.use_cases.read_message(ada.id, sent[name][0])
        assert (message_row.status, message_row.failure) == end, name
    wanted = {form["MessageSid"]: (form["From"], form["Body"]) for path, form, _ in webhooks if path == SMS}
    heard: Counter[tuple[str, str]] = Counter()
    for chat in (await world.use_cases.list_conversations(ada.id, None, None, 100)).items:
        page = await world.use_cases.list_messages(ada.id, chat.id, None, 100)
        heard.update((str(m.peer), str(m.body)) for m in page.items if m.direction == "inbound")
        if (chat.peer, chat.line_id) == (STRANGER, ada.line_id):
            assert (chat.opted_out_at is not None) == ends_with_stop(webhooks)
    assert heard == Counter(wanted.values())


def ends_with_stop(webhooks: Sequence[Webhook]) -> bool:
    """Tell whether the stranger's last word about it is STOP."""
    said = [form["Body"].upper() for path, form, _ in webhooks if path == SMS and form["From"] == STRANGER]
    return [word for word in said if word in {"STOP", "START"}][-1] == "STOP"


@pytest.mark.parametrize("order", ["as they come", "reversed", *range(SHUFFLES)])
async def test_the_samples_end_the_same_in_any_order(order: str | int) -> None:
    webhooks = samples()
    if order == "reversed":
        webhooks.reverse()
    elif isinstance(order, int):
        random.Random(order).shuffle(webhooks)
    async with HttpWorld.running() as http:
        await played(http, webhooks)
