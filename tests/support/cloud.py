"""An AWS account at moto in which every template stands. Moto's state is the process's: it is deployed once in it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import boto3
from moto.s3.models import FakeKey
from moto.server import ThreadedMotoServer

from tests.support.stacks import deployed
from tests.support.templates import REGION

_EXPORTS: dict[str, str] = {}


@dataclass(frozen=True)
class Cloud:
    """Where the account answers. `exports` are what the templates tell each other, by name."""

    url: str
    exports: dict[str, str]
    client: Callable[[str], Any]


class ListedKey(FakeKey):
    """An object as a list shows it, which closes no content when it goes."""

    def __init__(self, of: FakeKey) -> None:
        self.__dict__.update(of.__dict__)

    def __del__(self) -> None:
        pass


def listed(key: FakeKey, _memo: object) -> ListedKey:
    """Copy an object without its content: for each list of versions moto copies a bucket, 20 GB in ten minutes."""
    return ListedKey(key)


@contextmanager
def deployed_cloud() -> Iterator[Cloud]:
    """Serve the account, with everything deployed."""
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        with patch.object(FakeKey, "__deepcopy__", listed, create=True):
            yield _cloud(server)
    finally:
        server.stop()


def _cloud(server: ThreadedMotoServer) -> Cloud:
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"

    def client(service: str) -> Any:
        return boto3.client(
            service, region_name=REGION, endpoint_url=url, aws_access_key_id="test", aws_secret_access_key="test"
        )  # type: ignore[call-overload]  # fmt: skip

    if not _EXPORTS:
        _EXPORTS.update(deployed(client))
    return Cloud(url, _EXPORTS, client)
