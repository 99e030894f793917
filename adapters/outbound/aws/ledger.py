"""The erasure ledger in an S3 bucket: an object for each record, numbered, and never written twice.

The bucket's own default retention (Object Lock, compliance mode) keeps everybody from deleting or replacing one. That
no two writers take one number is S3's conditional write (`If-None-Match: *`, API reference of PutObject).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from typing_extensions import override

from adapters.ledger import ChainedLedger, Records, taken_in
from adapters.outbound.aws.calls import AwsCalls, TooManyCalls
from application.ports.ledger import LedgerUnavailable

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

T = TypeVar("T")

PREFIX = "erasures/"
DIGITS = 12
"""Of a record's number, so that the names' order is that of the records."""
TAKEN = {"PreconditionFailed", "ConditionalRequestConflict"}
"""Another process has written the record of that number."""


class S3Ledger(ChainedLedger):
    """`ErasureLedger` in a bucket that several machines share.

    What was read once is remembered, since no record ever changes: only later ones are asked for.
    """

    def __init__(self, client: S3Client, calls: AwsCalls, bucket: str, key: bytes) -> None:
        """Nothing is asked yet."""
        super().__init__(key)
        self._client, self._calls, self._bucket = client, calls, bucket
        self._records: Records | None = None
        self._alone = asyncio.Lock()

    @override
    async def _use(self, act: Callable[[Records], T], *, write: bool = False) -> T:
        async with self._alone:
            while True:
                records, self._records = self._records or Records(key=self._key), None
                await self._catch_up(records)
                self._records = records
                tried = records.copied() if write else records
                tried.added = b""
                result = act(tried)
                if not tried.added:
                    return result
                # Who loses the number to another process goes on from what was read, and reads that one record.
                if await self._put(len(tried.heads) - 1, tried.added):
                    self._records = tried
                    return result

    async def _catch_up(self, records: Records) -> None:
        """Read the records that came since. One that is missing in between breaks the chain, and shows."""
        while True:
            after = name_of(len(records.heads) - 1)
            listed = partial(
                self._client.list_objects_v2, Bucket=self._bucket, Prefix=PREFIX, StartAfter=after
            )
            page = await self._ask(listed)
            for found in page.get("Contents", ()):
                line = await self._ask(partial(self._read, found["Key"]))
                taken_in(records, line)
            if not page["IsTruncated"]:
                return

    def _read(self, name: str) -> bytes:
        with self._client.get_object(Bucket=self._bucket, Key=name)["Body"] as body:
            return body.read()

    async def _put(self, number: int, line: bytes) -> bool:
        """Write a record; tell whether its number was still free. An unknown outcome is an outage."""

        def act() -> bool:
            try:
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=name_of(number),
                    Body=line,
                    IfNoneMatch="*",
                    ChecksumAlgorithm="SHA256",
                )
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") in TAKEN:
                    return False
                raise
            return True

        return await self._ask(act)

    async def _ask(self, act: Callable[[], T]) -> T:
        try:
            return await self._calls(act)
        except (ClientError, BotoCoreError, TooManyCalls, OSError):
            raise LedgerUnavailable from None


def name_of(number: int) -> str:
    """Return the name of a record, by its number."""
    return f"{PREFIX}{number:0{DIGITS}}"
