"""AWS as moto plays it, on a server on loopback, and clients of it built as the product builds them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer

from adapters.outbound.aws.calls import CONFIG, AwsCalls

REGION = "us-east-1"


@dataclass(frozen=True)
class Aws:
    """An address that answers as AWS does."""

    url: str

    def client(self, service: str) -> Any:
        return boto3.client(
            service, region_name=REGION, endpoint_url=self.url, config=CONFIG,
            aws_access_key_id="test", aws_secret_access_key="test",
        )  # type: ignore[call-overload]  # fmt: skip

    def bucket(self, **options: Any) -> str:
        name = f"pico-{uuid4().hex}"
        self.client("s3").create_bucket(Bucket=name, **options)
        return name


@pytest.fixture(scope="session")
def aws() -> Iterator[Aws]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield Aws(f"http://{host}:{port}")
    server.stop()


@pytest.fixture
def calls() -> Iterator[AwsCalls]:
    pool = AwsCalls(threads=8)
    yield pool
    pool.close()


@pytest.fixture
def unplugged() -> Callable[[Any], None]:
    """Return what makes a client's address one where nobody answers."""

    def unplug(client: Any) -> None:
        client.meta.events.register_first("before-send", _nobody)

    return unplug


def _nobody(**_: object) -> None:
    from botocore.exceptions import EndpointConnectionError

    raise EndpointConnectionError(endpoint_url="http://127.0.0.1:9")
