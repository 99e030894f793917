"""What callers left at the simulated Twilio: recordings, transcripts, and the webhooks that tell of them."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from adapters.outbound.twilio.simulator.account import Account
from adapters.outbound.twilio.simulator.resources import VERSION, Refused, Resource, rfc2822, uri
from adapters.outbound.twilio.simulator.webhooks import Webhooks

API = "https://api.twilio.com"
"""Where a form says that a recording lies, wherever the simulator listens: nobody is to believe it."""


@dataclass(frozen=True, slots=True)
class LeftMessage:
    """What a caller leaves, and where Twilio tells of it: the addresses in the `Record` that it was asked by."""

    call_sid: str
    sender: str
    to: str
    audio: bytes
    seconds: int
    words: str | None = None
    """What Twilio makes of it, where it transcribes; None: it never answers."""
    action: str = ""
    recorded: str = ""
    transcribed: str = ""


@dataclass(frozen=True, slots=True)
class Recordings:
    """Recordings and transcripts of one account, by SID, beside the rest of its state."""

    account: Account
    webhooks: Webhooks

    def routes(self) -> list[web.RouteDef]:
        """Return the operations of the 2010 API."""
        root = f"/{VERSION}/Accounts/{self.account.sid}"
        return [
            web.get(f"{root}/Recordings.json", self.list_all),
            web.get(f"{root}/Recordings/{{sid}}.json", self.fetch),
            web.get(f"{root}/Recordings/{{sid}}.wav", self.audio),
            web.delete(f"{root}/Recordings/{{sid}}.json", self.delete),
            web.get(f"{root}/Recordings/{{sid}}/Transcriptions.json", self.list_made),
            web.get(f"{root}/Transcriptions/{{sid}}.json", self.fetch_made),
            web.delete(f"{root}/Transcriptions/{{sid}}.json", self.delete_made),
        ]

    async def leave(self, message: LeftMessage) -> str:
        """Let a caller leave a message, and tell of it as Twilio does; return its SID once every webhook was tried."""
        sid = f"RE{secrets.token_hex(16)}"
        absent = message.seconds == 0
        status = "absent" if absent else "completed"
        if not absent:
            self.account.state.keep_content(sid, message.audio)
        self.account.state.calls.setdefault(message.call_sid, call(self.account, message))
        self.account.state.recordings[sid] = recording(self.account, sid, message, status)
        self.account.state.save()
        await self._post(message.action, action_form(self.account, sid, message))
        await self._post(message.recorded, recording_form(self.account, sid, message, status))
        if message.transcribed and message.words is not None and not absent:
            own = f"TR{secrets.token_hex(16)}"
            self.account.state.transcriptions[own] = transcription(self.account, own, sid, message.words)
            self.account.state.save()
            await self._post(message.transcribed, transcription_form(self.account, own, sid, message))
        return sid

    async def _post(self, target: str, form: Mapping[str, str]) -> None:
        if target:
            await self.webhooks.post(target, form)

    def _recording(self, request: web.Request) -> Resource:
        return self._one(self.account.state.recordings, request)

    def _one(self, held: Mapping[str, Resource], request: web.Request) -> Resource:
        sid = request.match_info["sid"]
        if sid not in held:
            raise Refused(20404, f"The requested resource {sid} was not found")
        return held[sid]

    async def fetch(self, request: web.Request) -> web.Response:
        """FetchRecording."""
        return web.json_response(self._recording(request))

    async def list_all(self, request: web.Request) -> web.Response:
        """ListRecording, of one call if asked."""
        call = request.query.get("CallSid")
        held = [each for each in self.account.state.recordings.values() if call in {None, each["call_sid"]}]
        return web.json_response({"recordings": held, "page": 0, "page_size": 50, "next_page_uri": None})

    async def audio(self, request: web.Request) -> web.Response:
        """Hand over the sound, or whatever the knobs `media` and `recording_not_ready` have in its place."""
        sid = self._recording(request)["sid"]
        faults = self.account.faults
        if faults.spend("recording_not_ready"):
            raise Refused(20404, f"The requested resource {sid} was not found")
        match faults.media:
            case "redirect":
                return web.Response(status=307, headers={"Location": "http://127.0.0.1:9/latest/meta-data"})
            case "html":
                return web.Response(body=b"<html>Bad Gateway</html>", content_type="text/html")
            case "lie":
                return web.Response(body=b"<html>Bad Gateway</html>" * 9, content_type="audio/x-wav")
        return web.Response(body=self.account.state.content(sid), content_type="audio/x-wav")

    async def delete(self, request: web.Request) -> web.Response:
        """DeleteRecording. Its transcripts stay."""
        sid = self._recording(request)["sid"]
        if not self.account.faults.lie:
            del self.account.state.recordings[sid]
            self.account.state.forget_content(sid)
            self.account.state.save()
        return web.Response(status=204)

    async def list_made(self, request: web.Request) -> web.Response:
        """ListRecordingTranscription."""
        sid = self._recording(request)["sid"]
        made = [each for each in self.account.state.transcriptions.values() if each["recording_sid"] == sid]
        return web.json_response({"transcriptions": made, "page": 0, "page_size": 50, "next_page_uri": None})

    async def fetch_made(self, request: web.Request) -> web.Response:
        """FetchTranscription."""
        return web.json_response(self._one(self.account.state.transcriptions, request))

    async def delete_made(self, request: web.Request) -> web.Response:
        """DeleteTranscription."""
        sid = self._one(self.account.state.transcriptions, request)["sid"]
        if not self.account.faults.lie:
            del self.account.state.transcriptions[sid]
            self.account.state.save()
        return web.Response(status=204)


def call(account: Account, message: LeftMessage) -> Resource:
    """Shape a call that a message was left in."""
    now = rfc2822(account.now())
    return {
        "sid": message.call_sid,
        "account_sid": account.sid,
        "api_version": VERSION,
        "parent_call_sid": None,
        "from": message.sender,
        "to": message.to,
        "direction": "inbound",
        "status": "completed",
        "date_created": now,
        "date_updated": now,
        "start_time": now,
        "end_time": now,
        "duration": str(message.seconds),
        "uri": uri(account.sid, "Calls", message.call_sid),
    }


def recording(account: Account, sid: str, message: LeftMessage, status: str) -> Resource:
    """Shape a recording."""
    now = rfc2822(account.now())
    return {
        "sid": sid,
        "account_sid": account.sid,
        "api_version": VERSION,
        "call_sid": message.call_sid,
        "conference_sid": None,
        "channels": 1,
        "source": "RecordVerb",
        "status": status,
        "error_code": 16101 if status == "absent" else None,
        "duration": str(message.seconds),
        "price": None,
        "price_unit": "USD",
        "encryption_details": None,
        "media_url": f"{API}/{VERSION}/Accounts/{account.sid}/Recordings/{sid}",
        "date_created": now,
        "date_updated": now,
        "start_time": now,
        "subresource_uris": {"transcriptions": uri(account.sid, "Recordings", sid, "Transcriptions")},
        "uri": uri(account.sid, "Recordings", sid),
    }


def transcription(account: Account, sid: str, of: str, words: str) -> Resource:
    """Shape a transcript. One of nothing says "(blank)"; one without words has failed."""
    now = rfc2822(account.now())
    return {
        "sid": sid,
        "account_sid": account.sid,
        "api_version": VERSION,
        "recording_sid": of,
        "status": "completed" if words else "failed",
        "transcription_text": words,
        "type": "fast",
        "duration": "1",
        "price": None,
        "price_unit": "USD",
        "date_created": now,
        "date_updated": now,
        "uri": uri(account.sid, "Transcriptions", sid),
    }


def action_form(account: Account, sid: str, message: LeftMessage) -> dict[str, str]:
    """Fields of the request that follows a `Record`."""
    return {
        **call_form(account, message, "in-progress"),
        "RecordingUrl": f"{API}/{VERSION}/Accounts/{account.sid}/Recordings/{sid}",
        "RecordingSid": sid,
        "RecordingDuration": str(message.seconds),
        "Digits": "hangup",
    }


def recording_form(account: Account, sid: str, message: LeftMessage, status: str) -> dict[str, str]:
    """Fields of a recording's status callback. It does not say who called whom."""
    return {
        "AccountSid": account.sid,
        "CallSid": message.call_sid,
        "RecordingSid": sid,
        "RecordingChannels": "1",
        "RecordingSource": "RecordVerb",
        "RecordingTrack": "inbound",
        "RecordingUrl": f"{API}/{VERSION}/Accounts/{account.sid}/Recordings/{sid}",
        "RecordingStartTime": rfc2822(account.now()),
        "RecordingStatus": status,
        "RecordingDuration": str(message.seconds),
        **({"ErrorCode": "16101"} if status == "absent" else {}),
    }


def transcription_form(account: Account, sid: str, of: str, message: LeftMessage) -> dict[str, str]:
    """Fields of a transcript's callback."""
    recorded = f"{API}/{VERSION}/Accounts/{account.sid}/Recordings/{of}"
    return {
        **call_form(account, message, "completed"),
        "TranscriptionSid": sid,
        "TranscriptionType": "fast",
        "RecordingSid": of,
        "RecordingUrl": recorded,
        "TranscriptionUrl": f"{recorded}/Transcriptions/{sid}",
        "TranscriptionStatus": "completed" if message.words else "failed",
        "TranscriptionText": message.words or "",
    }


def call_form(account: Account, message: LeftMessage, status: str) -> dict[str, str]:
    """Fields of every request about a call."""
    return {
        "AccountSid": account.sid,
        "ApiVersion": VERSION,
        "CallSid": message.call_sid,
        "CallStatus": status,
        "Called": message.to,
        "Caller": message.sender,
        "Direction": "inbound",
        "From": message.sender,
        "To": message.to,
    }
