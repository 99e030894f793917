"""What Production keeps at Amazon, in one region (X1): master keys at KMS, large content and the ledger in S3."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import boto3

from adapters.outbound.aws.calls import CONFIG, AwsCalls
from adapters.outbound.aws.kms import AwsKms
from adapters.outbound.aws.ledger import S3Ledger
from adapters.outbound.aws.objects import S3ByteStore
from application.ports.byte_store import ByteStore
from application.ports.kms import Kms
from application.ports.ledger import ErasureLedger
from bootstrap.settings import ProductionSettings

REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Amazon:
    """The adapters before AWS."""

    kms: Kms
    byte_store: ByteStore
    ledger: Callable[[bytes], ErasureLedger]
    """Makes the ledger, given the key that signs its receipts."""


@contextmanager
def amazon(
    settings: ProductionSettings, called: Callable[[str, str, float], None] | None = None
) -> Iterator[Amazon]:
    """Make clients with the credentials of this machine's role, or of the usual variables; nothing is asked yet.

    `called` is told of each call.
    """
    calls = AwsCalls(called=called)
    client = partial(
        boto3.client, region_name=REGION, endpoint_url=settings.aws_endpoint_url or None, config=CONFIG
    )
    s3 = client("s3")
    try:
        yield Amazon(
            kms=AwsKms(client("kms"), calls, settings.kms_key_id),
            byte_store=S3ByteStore(s3, calls, settings.objects_bucket),
            ledger=partial(S3Ledger, s3, calls, settings.ledger_bucket),
        )
    finally:
        calls.close()
