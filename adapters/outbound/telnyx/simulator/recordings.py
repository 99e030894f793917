"""What was recorded at the simulated Telnyx, and put into writing."""

import uuid
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from adapters.outbound.telnyx.simulator.account import Account
from adapters.outbound.telnyx.simulator.resources import Refused, Resource, rfc3339


@dataclass(frozen=True, slots=True)
class Recordings:
    """Recordings and transcripts of one account, by id, beside the rest of its state."""

    account: Account

    def keep(
        self, leg: Resource, audio: bytes, seconds: int, initiated_by: str = "StartCallRecordingAPI"
    ) -> Resource:
        """Keep what was recorded of a leg."""
        own, now = str(uuid.uuid4()), rfc3339(self.account.now())
        self.account.state.keep_content(path_of(own), ("audio/x-wav", audio))
        shape: Resource = {
            "id": own,
            "record_type": "recording",
            "call_control_id": leg["call_control_id"],
            "call_leg_id": leg["call_leg_id"],
            "call_session_id": leg["call_session_id"],
            "channels": "single",
            "source": "call",
            "status": "completed",
            "initiated_by": initiated_by,
            "from": leg["from"],
            "to": leg["to"],
            "duration_millis": seconds * 1000 + 120,
            "recording_started_at": now,
            "recording_ended_at": now,
            "created_at": now,
            "updated_at": now,
        }
        self.account.state.recordings[own] = shape
        self.account.state.save()
        return shape

    def write_down(self, recording: Resource, words: str) -> Resource:
        """Keep what was said in a recording, in writing."""
        own, now = str(uuid.uuid4()), rfc3339(self.account.now())
        shape: Resource = {
            "id": own,
            "record_type": "recording_transcription",
            "recording_id": recording["id"],
            "status": "completed" if words else "failed",
            "transcription_text": words,
            "duration_millis": recording["duration_millis"],
            "created_at": now,
            "updated_at": now,
        }
        self.account.state.transcriptions[own] = shape
        self.account.state.save()
        return shape

    def listed(self, query: Any) -> list[Resource]:  # noqa: ANN401 - a query of aiohttp's
        """List recordings, those of one leg if asked."""
        leg = query.get("filter[call_leg_id]")
        held = self.account.state.recordings.values()
        return [self.shown(each) for each in held if leg in {None, each["call_leg_id"]}]

    def shown(self, recording: Resource) -> Resource:
        """Return a recording with the address at which its audio lies for some minutes."""
        faults = self.account.faults
        url = f"{self.account.media_url}{path_of(recording['id'])}"
        if faults.media == "elsewhere":
            url = "http://127.0.0.1:9/audio"
        return {**recording, "download_urls": {"wav": url}}

    def fetch(self, own: str) -> Resource:
        """Fetch a recording."""
        if own not in self.account.state.recordings:
            raise Refused(10005, f"{own} was not found")
        shown = self.shown(self.account.state.recordings[own])
        return shown | {"status": "processing"} if self.account.faults.spend("recording_not_ready") else shown

    def delete(self, own: str) -> Resource:
        """Delete a recording. Its transcripts stay."""
        recording = self.fetch(own)
        if not self.account.faults.lie:
            del self.account.state.recordings[own]
            self.account.state.contents.pop(path_of(own), None)
            self.account.state.save()
        return recording

    def written(self, query: Any) -> list[Resource]:  # noqa: ANN401 - a query of aiohttp's
        """List transcripts, those of one recording if asked."""
        of = query.get("filter[recording_id]")
        return [
            each for each in self.account.state.transcriptions.values() if of in {None, each["recording_id"]}
        ]

    def transcript(self, own: str) -> Resource:
        """Fetch a transcript."""
        if own not in self.account.state.transcriptions:
            raise Refused(10005, f"{own} was not found")
        return self.account.state.transcriptions[own]

    def delete_transcript(self, own: str) -> Resource:
        """Delete a transcript."""
        transcript = self.transcript(own)
        if not self.account.faults.lie:
            del self.account.state.transcriptions[own]
            self.account.state.save()
        return transcript


def path_of(own: str) -> str:
    """Return where the audio of a recording lies."""
    return f"/media/recording-{own}"


def saved(recording: Resource) -> Resource:
    """Shape what an event tells of a recording: not its id, and an address that nobody is to believe."""
    return {
        "channels": recording["channels"],
        "recording_started_at": recording["recording_started_at"],
        "recording_ended_at": recording["recording_ended_at"],
        "recording_urls": {"wav": f"https://files.example/{recording['id']}.wav"},
        "public_recording_urls": {},
    }


class RecordingsApi:
    """The operations of the API v2."""

    def __init__(self, recordings: Recordings, one: Any, page: Any) -> None:  # noqa: ANN401 - shapes of answers
        """Answer with `one` resource or a `page` of them."""
        self.held, self.one, self.page = recordings, one, page

    def routes(self) -> list[web.RouteDef]:
        """Return them."""
        return [
            web.get("/v2/recordings", self.list_all),
            web.get("/v2/recordings/{id}", self.fetch),
            web.delete("/v2/recordings/{id}", self.delete),
            web.get("/v2/recording_transcriptions", self.written),
            web.get("/v2/recording_transcriptions/{id}", self.transcript),
            web.delete("/v2/recording_transcriptions/{id}", self.delete_transcript),
        ]

    async def list_all(self, request: web.Request) -> web.Response:
        """ListRecordings."""
        answer: web.Response = self.page(request, self.held.listed(request.query))
        return answer

    async def fetch(self, request: web.Request) -> web.Response:
        """RetrieveRecording."""
        answer: web.Response = self.one(self.held.fetch(request.match_info["id"]))
        return answer

    async def delete(self, request: web.Request) -> web.Response:
        """DeleteRecording."""
        answer: web.Response = self.one(self.held.delete(request.match_info["id"]))
        return answer

    async def written(self, request: web.Request) -> web.Response:
        """ListRecordingTranscriptions."""
        answer: web.Response = self.page(request, self.held.written(request.query))
        return answer

    async def transcript(self, request: web.Request) -> web.Response:
        """RetrieveRecordingTranscription."""
        answer: web.Response = self.one(self.held.transcript(request.match_info["id"]))
        return answer

    async def delete_transcript(self, request: web.Request) -> web.Response:
        """DeleteRecordingTranscription."""
        answer: web.Response = self.one(self.held.delete_transcript(request.match_info["id"]))
        return answer
