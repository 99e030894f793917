"""What the first page of an export says, in the languages in which we write to people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from domain.values import Locale


@dataclass(frozen=True, slots=True)
class Words:
    """One language. `{at}`, `{count}` and `{folder}` stand for what is known of the archive."""

    language: str
    direction: str
    title: str
    held_at: str
    files: str
    damaged: str
    for_programs: str
    records: Mapping[str, str]
    """What the person calls each kind of record, by its name in tables and files."""


ENGLISH = Words(
    language="en",
    direction="ltr",
    title="Your data",
    held_at="Everything held about you at {at} UTC.",
    files="{folder}: {count} files",
    damaged="{count} records or files were damaged and cannot be read: manifest.json names them.",
    for_programs="export.json holds the same for programs, laid out as schema.json says.",
    records=MappingProxyType({
        "accounts": "Account", "sessions": "Sessions", "phone_lines": "Lines",
        "port_requests": "Numbers brought along", "conversations": "Conversations",
        "messages": "Messages", "media": "Pictures", "voicemails": "Voicemail", "greetings": "Greetings",
        "opt_outs": "People who want no messages", "calls": "Calls", "contacts": "Contacts",
        "contact_numbers": "Numbers of contacts", "blocked_numbers": "Blocked numbers",
        "push_tokens": "Devices that are woken", "subscriptions": "Subscription",
        "idempotency_records": "Requests that are not done twice", "exports": "Exports",
        "webhook_endpoints": "Webhooks", "webhook_deliveries": "Calls to webhooks",
        "audit_entries": "What was done to the account",
    }),
)  # fmt: skip
HEBREW = Words(
    language="he",
    direction="rtl",
    title="המידע שלכם",
    held_at="כל מה שמוחזק עליכם נכון ל-{at} לפי UTC.",
    files="{folder}: {count} קבצים",
    damaged="{count} רשומות או קבצים ניזוקו ואי אפשר לקרוא אותם: הם נקובים ב-manifest.json.",
    for_programs="ב-export.json נמצא אותו מידע לתוכנות, ערוך כפי שאומר schema.json.",
    records=MappingProxyType({
        "accounts": "החשבון", "sessions": "חיבורים", "phone_lines": "קווים",
        "port_requests": "מספרים שהבאתם איתכם", "conversations": "שיחות בכתב",
        "messages": "הודעות", "media": "תמונות", "voicemails": "הודעות קוליות", "greetings": "ברכות פתיחה",
        "opt_outs": "מי שאינם רוצים הודעות", "calls": "שיחות טלפון", "contacts": "אנשי קשר",
        "contact_numbers": "מספרים של אנשי קשר", "blocked_numbers": "מספרים חסומים",
        "push_tokens": "מכשירים שמעירים", "subscriptions": "המינוי",
        "idempotency_records": "בקשות שאינן נעשות פעמיים", "exports": "ייצואים",
        "webhook_endpoints": "כתובות webhook", "webhook_deliveries": "פניות לכתובות webhook",
        "audit_entries": "מה נעשה בחשבון",
    }),
)  # fmt: skip
LANGUAGES: Mapping[str, Words] = MappingProxyType({"en": ENGLISH, "he": HEBREW})


def words_for(locale: Locale) -> Words:
    """Return the words in the person's language: English where there are none."""
    return LANGUAGES.get(locale.partition("-")[0], ENGLISH)
