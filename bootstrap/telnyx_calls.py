"""Calls at Telnyx, put together: what its events lead to, and how its calls are commanded."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.inbound.webhooks.telnyx import TelnyxVoice, TelnyxVoicemail
from adapters.inbound.webhooks.telnyx.app_calls import TelnyxAppCalls
from adapters.inbound.webhooks.telnyx.webhooks import EventHandler
from adapters.outbound.telnyx.answers import ref_of
from adapters.outbound.telnyx.api import TelnyxApi
from adapters.outbound.telnyx.call_control import TelnyxCallControl
from adapters.outbound.telnyx.legs import came_to
from adapters.outbound.telnyx.recordings import TelnyxRecordings, transcript_ref, transcription_of
from application.use_cases import UseCases


def calls_at_telnyx(
    use_cases: UseCases, api: TelnyxApi, control: TelnyxCallControl
) -> Mapping[str, EventHandler]:
    """Return the handlers of events about calls, by type."""
    recordings = TelnyxRecordings(api)
    apps = TelnyxAppCalls(use_cases.connect_call, use_cases.apply_call_report, control, ref_of, came_to)
    voice = TelnyxVoice(
        answer=use_cases.answer_call,
        go_on=use_cases.continue_call,
        accept=use_cases.accept_forwarded_call,
        apply_report=use_cases.apply_call_report,
        control=control,
        apps=apps,
        ref_of=ref_of,
        came_to=came_to,
    )
    voicemail = TelnyxVoicemail(
        voice=voice,
        receive=use_cases.receive_voicemail,
        refuse=use_cases.refuse_recording,
        apply_transcript=use_cases.apply_transcript,
        recordings_of=recordings.of_call,
        look_up=recordings.look_up,
        ref_of=ref_of,
        transcript_ref=transcript_ref,
        transcription_of=transcription_of,
    )
    return {**voice.handlers(), **voicemail.handlers()}
