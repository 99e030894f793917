"""Everything of `deploy/aws` at moto, and clients of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.support.stacks import deployed
from tests.support.templates import REGION


@dataclass(frozen=True)
class Cloud:
    """An AWS account in which every template stands. `exports` are what they tell each other, by name."""

    url: str
    exports: dict[str, str]
    client: Callable[[str], Any]


def client_of(url: str) -> Callable[[str], Any]:
    def client(service: str) -> Any:
        return boto3.client(
            service, region_name=REGION, endpoint_url=url, aws_access_key_id="test", aws_secret_access_key="test"
        )  # type: ignore[call-overload]  # fmt: skip

    return client


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    """Deploy everything, once."""
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        client = client_of(f"http://{host}:{port}")
        client("cloudformation")  # which is imported here, and not while it is timed
        yield Cloud(f"http://{host}:{port}", deployed(client), client)
    finally:
        server.stop()
