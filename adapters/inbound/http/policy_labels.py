"""What the policy's page says of itself, beside the policy, in each language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from adapters.inbound.http.policy_text import Language, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """A language's own words and direction. `updated` is a format string."""

    name: str
    direction: str
    updated: str
    months: tuple[str, ...]
    binds: str
    """Which language binds, where it is not this one."""
    states: Mapping[State, str]
    kept: str
    declared: str
    pending: str
    none: str
    data_map: str
    columns: tuple[str, ...]

    def last_updated(self, day: date, version: int) -> str:
        """Return of which day the policy is, as people write it."""
        return self.updated.format(
            day=day.day, month=self.months[day.month - 1], year=day.year, version=version
        )


LABELS: Mapping[Language, Labels] = MappingProxyType({
    "en": Labels(
        name="English",
        direction="ltr",
        updated="Last updated: {day} {month} {year}, version {version}.",
        months=(
            "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
            "November", "December",
        ),
        binds="",
        states={
            "proved": "proved", "declared": "declared", "pending": "not proved yet", "unproved": "without proof",
        },
        kept="Kept:",
        declared="Declared",
        pending="Not proved yet",
        none="None.",
        data_map="Data map",
        columns=("record", "field", "held as", "allowed by", "in the export", "at hard deletion"),
    ),
    "he": Labels(
        name="עברית",
        direction="rtl",
        updated="עודכן לאחרונה: {day} ב{month} {year}, גרסה {version}.",
        months=(
            "ינואר", "פברואר", "מרץ", "אפריל", "מאי", "יוני", "יולי", "אוגוסט", "ספטמבר", "אוקטובר", "נובמבר", "דצמבר",
        ),
        binds="זהו תרגום. הנוסח האנגלי הוא המחייב, ומשפט שעדיין לא תורגם מופיע באנגלית.",
        states={"proved": "מוכח", "declared": "מוצהר", "pending": "עדיין לא הוכח", "unproved": "בלי הוכחה"},
        kept="נשמר:",
        declared="מוצהר",
        pending="עדיין לא הוכח",
        none="אין.",
        data_map="מפת המידע",
        columns=("רשומה", "שדה", "מוחזק בתור", "מותר לפי", "בייצוא", "במחיקה סופית"),
    ),
})  # fmt: skip
LANGUAGES: tuple[Language, ...] = tuple(LABELS)
