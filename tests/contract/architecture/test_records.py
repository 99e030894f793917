"""The records of processing say what the policy and the inventory say, and leave nothing out."""

from __future__ import annotations

from application.inventory import INVENTORY
from bootstrap.policy import POLICY
from bootstrap.publication import sections
from bootstrap.records import ACTIVITIES, NOT_ASKED_FOR, RECORDS, records_of_processing

MARKDOWN = POLICY.read_text(encoding="utf-8")


def test_the_records_are_those_of_policy_and_inventory() -> None:
    written = records_of_processing(MARKDOWN, INVENTORY)
    assert RECORDS.read_text(encoding="utf-8") == written, "write them anew: pico policy --write"


def test_every_heading_of_the_policy_has_its_place_in_them() -> None:
    placed = [heading for headings in ACTIVITIES.values() for heading in headings]
    assert sorted([*placed, *NOT_ASKED_FOR]) == sorted(sections(MARKDOWN))


def test_every_record_and_every_field_is_in_them() -> None:
    written = records_of_processing(MARKDOWN, INVENTORY)
    rows = {
        line.split(" | ")[0].removeprefix("| "): line for line in written.splitlines() if line[:2] == "| "
    }
    for stored in INVENTORY:
        for column in stored.columns:
            assert column.name in rows[stored.name]
            assert column.policy.clause in rows[stored.name]


def test_they_follow_a_changed_sentence_and_a_record_more() -> None:
    changed = MARKDOWN.replace("S1** Twilio carries", "S1** Somebody carries")
    assert "- **S1** Somebody carries" in records_of_processing(changed, INVENTORY)
    assert "| accounts |" not in records_of_processing(MARKDOWN, INVENTORY[1:])
