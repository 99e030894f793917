"""The archive that an export is: whole, checked by anybody, and readable by people."""

from __future__ import annotations

import csv
import json
from collections.abc import AsyncIterable
from io import BytesIO, StringIO
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import pytest
from typer.testing import CliRunner

from adapters.inbound.cli import command_line
from application.export_check import differences, problems_of
from application.export_pages import first_page, table
from application.export_schema import schema
from application.export_words import LANGUAGES, Words, words_for
from application.inventory import BY_TYPE, INVENTORY
from bootstrap.commands import COMMANDS
from bootstrap.settings import ROOT
from bootstrap.worlds import InMemory
from domain.contacts import Contact
from domain.kernel import MediaId, ObjectId
from domain.media import Media, MediaState, MediaType
from domain.values import Locale
from tests.support.actors import PASSWORD, Person, sign_up, with_line

PICTURE = bytes(range(256)) * 600


async def pieces(content: bytes) -> AsyncIterable[bytes]:
    yield content


async def with_picture(world: InMemory) -> tuple[Person, Media]:
    ada = await with_line(world)
    await ada.receives("hello")
    media = Media(
        account_id=ada.id, id=MediaId(world.ids.new()), position=0, created_at=world.clock.now(),
        state=MediaState.KEPT, type=MediaType.JPEG, size=len(PICTURE),
    )  # fmt: skip
    async with world.store.begin(ada.id) as tx:
        tx.save(media)
    await world.objects.put(ada.id, ObjectId(media.id), pieces(PICTURE))
    return ada, media


async def downloaded(world: InMemory, ada: Person) -> bytes:
    export = await world.use_cases.start_export(ada.id)
    await world.settle()
    return b"".join(
        [part async for part in await world.use_cases.download_export(ada.id, export.id, PASSWORD)]
    )


async def test_an_archive_holds_records_tables_files_and_what_tells_of_them(
    world: InMemory, tmp_path: Path
) -> None:
    ada, media = await with_picture(world)
    archive = await downloaded(world, ada)
    with ZipFile(BytesIO(archive)) as opened:
        names = opened.namelist()
        assert {"export.json", "schema.json", "index.html", "manifest.json"} < {*names}
        assert opened.read(f"media/{media.id}.jpeg") == PICTURE
        manifest = json.loads(opened.read("manifest.json"))
        records = json.loads(opened.read("export.json"))["records"]
        told = list(csv.DictReader(StringIO(opened.read("csv/messages.csv").decode("utf-8-sig"))))
        assert [row["body"] for row in told] == [row["body"] for row in records["messages"]] == ["hello"]
        assert opened.read("schema.json") == json.dumps(schema(), indent=1).encode()
    assert manifest["records"] == {name: len(rows) for name, rows in records.items()}
    assert {one["name"] for one in manifest["files"]} == {*names} - {"manifest.json"}
    assert not manifest["partial"]
    (tmp_path / "export.zip").write_bytes(archive)
    assert problems_of(tmp_path / "export.zip") == []


async def test_a_file_that_is_damaged_or_gone_is_named_and_holds_up_no_other(
    world: InMemory, tmp_path: Path
) -> None:
    ada, media = await with_picture(world)
    await world.objects.delete(ada.id, ObjectId(media.id))
    archive = await downloaded(world, ada)
    with ZipFile(BytesIO(archive)) as opened:
        manifest = json.loads(opened.read("manifest.json"))
    assert manifest["damaged_files"] == [{"name": f"media/{media.id}.jpeg", "why": "not_found"}]
    assert manifest["partial"]
    (tmp_path / "export.zip").write_bytes(archive)
    assert problems_of(tmp_path / "export.zip") == []


async def test_whatever_is_changed_in_an_archive_is_found(world: InMemory, tmp_path: Path) -> None:
    ada, _ = await with_picture(world)
    archive = await downloaded(world, ada)
    with ZipFile(BytesIO(archive)) as opened:
        held = {name: opened.read(name) for name in opened.namelist()}
    file = tmp_path / "altered.zip"

    def written(files: dict[str, bytes]) -> list[str]:
        with ZipFile(file, "w", ZIP_STORED) as into:
            for name, content in files.items():
                into.writestr(name, content)
        return problems_of(file)

    assert written(held) == []
    for name, content in held.items():
        assert written({key: content for key, content in held.items() if key != name}), f"{name} is gone"
        assert written({**held, name: content + b" "}) or name == "manifest.json"
    assert written({**held, "more.txt": b""})
    file.write_bytes(archive[: len(archive) // 2])
    assert problems_of(file)
    runner, app = CliRunner(), command_line(COMMANDS)
    assert runner.invoke(app, ["export", "--verify", str(file)]).exit_code == 1
    file.write_bytes(archive)
    assert runner.invoke(app, ["export", "--verify", str(file)]).exit_code == 0
    assert runner.invoke(app, ["export", "--verify", str(tmp_path / "none.zip")]).exit_code == 2


def test_a_spreadsheet_works_nothing_out_that_somebody_wrote() -> None:
    of = BY_TYPE[Contact]
    for note in ("=1+1", "@SUM(A1)", "-cmd", "+cmd", "\tx"):
        (row,) = csv.reader(StringIO(table(of, [{"note": note}]).decode()))
        assert row[of.exported.index("note")] == f"'{note}"
    for number in ("+12025550143", "-5"):
        (row,) = csv.reader(StringIO(table(of, [{"note": number}]).decode()))
        assert row[of.exported.index("note")] == number


@pytest.mark.parametrize("words", LANGUAGES.values(), ids=LANGUAGES)
def test_the_first_page_loads_nothing_and_runs_nothing(world: InMemory, words: Words) -> None:
    page = first_page(words, world.clock.now(), {"messages": 2}, {"media": 1}, 1).decode()
    assert "csv/messages.csv" in page
    assert f"{words.records['messages']}</a></td><td>2<" in page
    assert not any(
        word in page for word in ("http:", "https:", "<script", "src=", "{count", "{at", "{folder")
    )


@pytest.mark.parametrize(
    ("locale", "begins"),
    [
        ("he-IL", '<html lang="he" dir="rtl">'),
        ("fr", '<html lang="en" dir="ltr">'),
        ("en-GB", '<html lang="en" dir="ltr">'),
    ],
)
async def test_the_first_page_is_in_the_persons_language(world: InMemory, locale: str, begins: str) -> None:
    ada = await sign_up(world)
    await world.use_cases.change_profile(ada.id, None, Locale(locale))
    with ZipFile(BytesIO(await downloaded(world, ada))) as opened:
        page = opened.read("index.html").decode()
    assert begins in page
    assert words_for(Locale(locale)).records["audit_entries"] in page


def test_every_kind_of_record_has_a_name_in_every_language() -> None:
    exported = {stored.name for stored in INVENTORY if stored.exported}
    for words in LANGUAGES.values():
        assert {*words.records} == exported
        assert len({*words.records.values()}) == len(exported), "two kinds go by one name"


def test_the_schema_that_is_shipped_is_of_this_inventory() -> None:
    shipped = json.loads((ROOT / "docs" / "export.schema.json").read_text(encoding="utf-8"))
    assert shipped == schema(), "write it anew: it follows from the inventory"
    assert {*schema()["properties"]["records"]["properties"]} == {s.name for s in INVENTORY if s.exported}


@pytest.mark.parametrize("wrong", [{"format": 3}, {"more": 1}, {"records": {}}, {"partial": "no"}])
def test_what_is_not_as_the_schema_says_is_named(wrong: dict[str, object]) -> None:
    records: dict[str, list[object]] = {name: [] for name in schema()["properties"]["records"]["properties"]}
    right = {
        "format": "pico-export-1", "account_id": "a", "exported_at": "b", "records": records, "partial": False,
        "unreadable": [],
    }  # fmt: skip
    assert differences(right, schema(), "") == []
    assert differences({**right, **wrong}, schema(), "")
