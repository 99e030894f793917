"""The promise that an export is one archive, with everything in it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable
from functools import partial
from hashlib import sha256
from io import BytesIO
from json import loads
from typing import Any
from zipfile import ZipFile

from application.export_archive import Archive
from application.export_building import BuildExport, Contents
from application.export_files import ExportedFiles
from domain.kernel import AccountId, MediaId, ObjectId
from domain.media import Media, MediaState, MediaType
from tests.support.actors import PASSWORD, with_line
from tests.support.harness import Anywhere
from tests.support.proofs import proves

PICTURE = bytes(range(256)) * 600


class LeavesFilesOut(BuildExport):
    """Thinks that rows are all there is."""

    async def _files(
        self, account_id: AccountId, files: ExportedFiles, archive: Archive, contents: Contents
    ) -> AsyncGenerator[bytes, None]:
        none: bytes
        for none in ():
            yield none


class SkipsWhatIsDamaged(BuildExport):
    """Says nothing of what it could not read."""

    async def _files(
        self, account_id: AccountId, files: ExportedFiles, archive: Archive, contents: Contents
    ) -> AsyncGenerator[bytes, None]:
        async for content in super()._files(account_id, files, archive, contents):
            yield content
        contents.damaged_files.clear()


def leaves_files_out(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, build_export=LeavesFilesOut)


def skips_what_is_damaged(anywhere: Anywhere) -> Anywhere:
    return partial(anywhere, build_export=SkipsWhatIsDamaged)


async def pieces(content: bytes) -> AsyncIterable[bytes]:
    yield content


@proves("H53", text="0d44d10a74af", saboteur=leaves_files_out, says="a file is missing from the archive")
@proves("H53", text="0d44d10a74af", saboteur=skips_what_is_damaged, says="what is damaged is not named")
async def test_an_export_is_one_archive_of_rows_tables_and_files(anywhere: Anywhere) -> None:
    async with anywhere() as made:
        ada = await with_line(made)
        await ada.receives("hello")
        kept, gone = (
            Media(
                account_id=ada.id, id=MediaId(made.ids.new()), position=0, created_at=made.clock.now(),
                state=MediaState.KEPT, type=MediaType.JPEG, size=len(PICTURE),
            )
            for _ in range(2)
        )  # fmt: skip
        async with made.store.begin(ada.id) as tx:
            tx.save(kept)
            tx.save(gone)
        await made.objects.put(ada.id, ObjectId(kept.id), pieces(PICTURE))
        export = await made.use_cases.start_export(ada.id)
        await made.settle()
        slices = await made.use_cases.download_export(ada.id, export.id, PASSWORD)
        with ZipFile(BytesIO(b"".join([part async for part in slices]))) as opened:
            files = {name: opened.read(name) for name in opened.namelist()}
        manifest: dict[str, Any] = loads(files["manifest.json"])
        assert files.get(f"media/{kept.id}.jpeg") == PICTURE, "a file is missing from the archive"
        damaged = [one["name"] for one in manifest["damaged_files"]]
        assert damaged == [f"media/{gone.id}.jpeg"], "what is damaged is not named"
        listed = {one["name"]: (one["size"], one["sha256"]) for one in manifest["files"]}
        del files["manifest.json"]
        assert listed == {name: (len(of), sha256(of).hexdigest()) for name, of in files.items()}
        assert b"hello" in files["csv/messages.csv"]
        assert loads(files["export.json"])["records"]["messages"][0]["body"] == "hello"
