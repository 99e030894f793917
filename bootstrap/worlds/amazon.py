"""What Production keeps at Amazon: master keys at KMS, and large content in S3, both in one region (clause X1)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import boto3

from adapters.outbound.aws.calls import CONFIG, AwsCalls
from adapters.outbound.aws.kms import AwsKms
from adapters.outbound.aws.objects import S3ByteStore
from application.ports.byte_store import ByteStore
from application.ports.kms import Kms
from bootstrap.settings import ProductionSettings

REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Amazon:
    """The adapters before AWS."""

    kms: Kms
    byte_store: ByteStore


@contextmanager
def amazon(settings: ProductionSettings) -> Iterator[Amazon]:
    """Make clients with the credentials of this machine's role, or of the usual variables; nothing is asked yet."""
    calls = AwsCalls()
    address = settings.aws_endpoint_url or None
    try:
        yield Amazon(
            AwsKms(
                boto3.client("kms", region_name=REGION, endpoint_url=address, config=CONFIG),
                calls,
                settings.kms_key_id,
            ),
            S3ByteStore(
                boto3.client("s3", region_name=REGION, endpoint_url=address, config=CONFIG),
                calls,
                settings.objects_bucket,
            ),
        )
    finally:
        calls.close()
