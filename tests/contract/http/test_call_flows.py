"""Generated calls. `PICO_CALL_FLOWS` says how many: a few dozen unless it is set."""

from __future__ import annotations

import os

import pytest

from adapters.outbound.twilio.twiml import LARGEST
from bootstrap.worlds import InMemory
from tests.support.actors import with_line
from tests.support.call_flows import GENEROUS, CallFlows
from tests.support.http_client import calling, the_edge
from tests.support.telnyx_flows import TelnyxFlows

COUNT = int(os.environ.get("PICO_CALL_FLOWS", "80"))


@pytest.mark.parametrize("seed", [1, 2])
async def test_no_call_is_recorded_none_reaches_a_menu_and_a_key_puts_through(seed: int) -> None:
    world = InMemory(spend_policy=GENEROUS)
    ada = await with_line(world)
    async with calling(the_edge(world)) as client:
        flows = await CallFlows(world, ada, client.webhook, seed).play(COUNT)
    assert [flow.recorded for flow in flows if flow.recorded] == []
    assert [flow.strange for flow in flows if flow.strange] == []
    assert [flow.menus for flow in flows if flow.menus] == []
    assert [flow for flow in flows if flow.open_ways or flow.spoofable] == []
    assert [flow for flow in flows if flow.without_key] == []
    assert max(flow.largest for flow in flows) < LARGEST
    tags = {element.tag for flow in flows for _, element in flow.elements()}
    assert {"Dial", "Client", "Number", "Gather", "Record", "Reject", "Hangup"} <= tags, (
        "too little was made up"
    )
    assert sum(flow.put_through for flow in flows)
    spoken = [flow for flow in flows if any(element.tag == "Record" for _, element in flow.elements())]
    assert {flow.to_itself for flow in spoken} == {True, False}, (
        "callers left messages, and their person a greeting"
    )


@pytest.mark.parametrize("seed", [1, 2])
async def test_at_telnyx_too_no_call_is_recorded_and_only_a_key_puts_through(seed: int) -> None:
    world = InMemory(spend_policy=GENEROUS)
    calls = await TelnyxFlows(world, await with_line(world), seed).told(COUNT)
    assert [call.recorded for call in calls if call.recorded] == []
    assert [call.strange for call in calls if call.strange] == []
    assert [call for call in calls if call.without_key or call.menus or call.spoofable] == []
    assert max(call.largest for call in calls) < LARGEST
    recorded = {leg for call in calls for _, (leg, name, _) in call.commands if name == "record_start"}
    assert {"app" in leg for leg in recorded} == {True, False}, (
        "callers left messages, and their person a greeting"
    )
    made_up = set().union(*(call.names() for call in calls))
    through = [command for call in calls for _, command in call.commands if command[1] == "bridge"]
    to_apps = {"app" in said["call_control_id"] for _, _, said in through}
    assert to_apps == {True, False}, "both apps and telephones were put through to"
    assert any("app" in leg for leg, _, _ in through), "some calls went out"
    assert {"answer", "reject", "speak", "dial", "gather_using_speak", "bridge", "record_start"} <= made_up, (
        "too little was made up"
    )
