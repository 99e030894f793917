"""What each name in the API means: one name means one thing, in a request, in an answer and in a query."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

FIELDS = {
    "accepted": "What the person has read and accepted.",
    "account_id": "The account.",
    "added": "How many contacts were added.",
    "advance": "How far to move the clock: an ISO 8601 duration in days, hours, minutes and seconds.",
    "area_code": "The three digits of a North American area code.",
    "at": "When it was sent.",
    "attachments": "How many pictures or other files came with it.",
    "body": "What the message says. Null where it was damaged and cannot be read.",
    "capabilities": "What the number can do.",
    "code": "Stable: branch on this.",
    "contact_id": "The contact.",
    "contains": "Digits or letters that the number shall contain; `*` stands for any one.",
    "conversation_id": "The conversation it belongs to.",
    "conversations": "How many conversations go.",
    "country": "The country of the number: ISO 3166-1, two letters.",
    "created_at": "When it began.",
    "current": "Whether it is the session that asks.",
    "cursor": "Where to go on: a page's `next_cursor`.",
    "direction": "`inbound` came to the line, `outbound` was sent from it.",
    "display_name": "How the person wants to be called.",
    "dropped": "How many values there were that no contact has, such as addresses and pictures.",
    "email": "The address to sign in with, and to which mails go.",
    "erase_at": "When everything is erased for good.",
    "errors": "What is wrong with the input: where, and what.",
    "except": "Which session stays open: `current`, the one that asks.",
    "expires_at": "Until when it can be fetched.",
    "export_id": "The export.",
    "exported_at": "The one moment that it shows.",
    "failure": "Why it was not delivered, or is not known to be; null where nothing went wrong.",
    "format": "How the file is laid out. Another layout would have another name.",
    "former_token": "The token of a session on this device, open or expired: guesses by others do not hold it up.",
    "from": "Who sends it: a number, a short code or a name, as it came. Null where it was damaged and cannot be read.",
    "id": "Its id.",
    "items": "What is on this page.",
    "kind": "What it is about.",
    "label": "What the person calls the line.",
    "last_message": "Its newest message; null where every message was deleted.",
    "last_at": "When something was last said in it.",
    "limit": "How many to show at most.",
    "line_id": "The line it belongs to.",
    "lines": "How many lines go.",
    "link": "Where a mail leads: in the Sandbox, to the operation on the API's page.",
    "locale": "The language of mails: a BCP 47 tag.",
    "merged": "How many cards were merged into contacts that were there.",
    "message_id": "The message.",
    "messages": "How many messages go.",
    "next_cursor": "Leads to the next page as `cursor`; null on the last.",
    "name": "What the person calls a contact.",
    "note": "What the person noted about a contact; null where there is none, or where it was damaged.",
    "now": "What time it is in the Sandbox.",
    "number": "A phone number in E.164.",
    "numbers": "The numbers of a contact: E.164 where they are valid, otherwise as somebody wrote them.",
    "opted_out_at": "Since when the other side refuses our messages; null where it does not.",
    "partial": "Whether some of what is held was damaged and cannot be read; the export names it.",
    "password": "The account's password.",
    "peer": "The other side: a number, a short code or a name.",
    "pointer": "Where in the input: a JSON pointer (RFC 6901).",
    "position": "Which one it is, from 1 on.",
    "privacy": "The privacy policy.",
    "privacy_accepted_at": "When the privacy policy was accepted.",
    "records": "What is held, by kind of record.",
    "reason": "Why it was not saved.",
    "ref": "The carrier's reference of the message.",
    "release_at": "When a number that was given up goes back to the carrier; until then it can be taken back.",
    "released_at": "When the number was given back; null while it is held.",
    "request_id": "The answer's Request-Id, for asking us about it. Random: it says nothing of you.",
    "requested_at": "When it was asked for.",
    "rows_done": "How many records are in it so far.",
    "rows_total": "How many records it will have.",
    "session": "The session that was opened.",
    "session_id": "The session.",
    "skipped": "How many cards were not saved.",
    "skips": "Which cards were not saved.",
    "state": "Where it stands.",
    "status": "Where it stands.",
    "table": "Its kind of record.",
    "subject": "What a mail is about.",
    "terms": "The terms of use.",
    "terms_accepted_at": "When the terms were accepted.",
    "title": "The code in a sentence.",
    "to": "Who gets it: a number, a short code or a name. Null where it was damaged and cannot be read.",
    "token": "A secret that is shown once: of a session, to be sent as `Authorization: Bearer`; or from a mail.",
    "total": "How many messages it has.",
    "type": "The code as a URI.",
    "unread": "How many messages came in since it was last marked as read, and are still there.",
    "unreadable": "The records of which something was damaged.",
    "version": "The version of vCard.",
    "verified_at": "When the address was verified; null until then.",
}  # fmt: skip

TAGS = {
    "accounts": "Sign up, verify, read, correct, delete, recover.",
    "contacts": "The address book: whom the person knows, under which numbers.",
    "exports": "Everything held about a person, in one file.",
    "health": "Whether the process lives, and can serve.",
    "lines": "Find a number, lease it, name it, give it back.",
    "messages": "Conversations, and the messages in them.",
    "sandbox": "Only in the Sandbox: move the clock, read the mails, play the carrier.",
    "sessions": "Sign in, see where, sign out.",
}


def explain(schemas: Iterable[dict[str, Any]]) -> None:
    """Say of each field of these objects what its name means."""
    for schema in schemas:
        if not schema:
            schema["description"] = "Any JSON."
        for name, field in schema.get("properties", {}).items():
            if "description" not in field:
                field["description"] = FIELDS.get(name, "")
            explain([field["items"]] if isinstance(field.get("items"), dict) else [])
