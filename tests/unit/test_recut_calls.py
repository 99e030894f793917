"""Forms about calls that were cut elsewhere than where Twilio cut them: signed alike, and refused."""

from __future__ import annotations

import pytest

from adapters.inbound.webhooks.twilio.form import well_formed
from tests.forge import attempt
from tests.forge_calls import APP, CALL, KINDS, LEG, OTHER, OTHER_APP, OURS, RINGING, RUNG

FROM_APP = RINGING | {"From": APP}


@pytest.mark.parametrize("fields", [fields for _, _, fields in KINDS])
def test_what_twilio_sends_of_calls_is_well_formed(fields: dict[str, str]) -> None:
    assert well_formed([*fields.items()]) == fields


@pytest.mark.parametrize(
    "fields",
    [
        FROM_APP | {"Note": f"Fromclient:{OTHER_APP}"},
        FROM_APP | {"CallStatus": f"ringingFrom{APP}", "From": OTHER_APP},
        RINGING | {"CallStatus": f"ringingFrom{APP}"},
        RINGING | {"Note": f"CallSid{OTHER}"},
        RINGING | {"CallSid": OTHER, "Apple": f"CallSid{CALL}"},
        RINGING | {"CallS": f"id{OTHER}"},
        RUNG | {"ParentCall": f"Sid{LEG}", "ParentCallSid": OTHER},
        RINGING | {"To": f"{OURS}TranscriptionTextCallSid{OTHER}"},
    ],
)
def test_an_id_or_an_app_that_is_spelled_elsewhere_is_refused(fields: dict[str, str]) -> None:
    assert well_formed([*fields.items()]) is None


@pytest.mark.parametrize("seed", [1, 2])
def test_no_form_made_of_a_signed_one_has_another_effect(seed: int) -> None:
    seen = attempt(seed, 4_000)
    assert [what for what in seen if what.endswith("ANOTHER EFFECT")] == []
    assert any(what.endswith("changes nothing") for what in seen)
