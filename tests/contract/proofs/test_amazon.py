"""What of the clauses about Amazon is ours to keep: whom Production asks for keys and objects, and where."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import wraps
from typing import Any

import boto3
import pytest

from adapters.outbound.aws.kms import AwsKms
from adapters.outbound.aws.ledger import S3Ledger
from adapters.outbound.aws.objects import S3ByteStore
from adapters.outbound.memory.byte_store import MemoryByteStore
from bootstrap.settings import ProductionSettings
from bootstrap.worlds import amazon as wired
from bootstrap.worlds.amazon import Amazon
from tests.support.proofs import proves

Opens = Callable[[ProductionSettings], AbstractContextManager[Amazon]]
SETTINGS = ProductionSettings.model_construct(
    kms_key_id="alias/pico", objects_bucket="pico-objects", ledger_bucket="pico-ledger", aws_endpoint_url=""
)


@pytest.fixture
def amazon() -> Opens:
    return wired.amazon


def asks_elsewhere(amazon: Opens) -> Opens:
    @contextmanager
    def moved(settings: ProductionSettings) -> Iterator[Amazon]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(wired, "REGION", "eu-central-1")
            with amazon(settings) as at:
                yield at

    return moved


def keeps_objects_itself(amazon: Opens) -> Opens:
    @contextmanager
    def kept(settings: ProductionSettings) -> Iterator[Amazon]:
        with amazon(settings) as at:
            yield replace(at, byte_store=MemoryByteStore())

    return kept


@proves("X1", text="5cddbc1d72c6", saboteur=asks_elsewhere, says="another region is asked")
@proves("S3", text="73b38112fac6", saboteur=keeps_objects_itself, says="objects are not at S3")
def test_keys_objects_and_ledger_are_at_amazon_in_one_region(
    amazon: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[str, str]] = []
    make = boto3.client

    @wraps(make)
    def client(service: Any, **given: Any) -> Any:
        one = make(service, **given)
        made.append((service, one.meta.region_name))
        return one

    monkeypatch.setattr(boto3, "client", client)
    with amazon(SETTINGS) as at:
        assert isinstance(at.kms, AwsKms)
        assert isinstance(at.byte_store, S3ByteStore), "objects are not at S3"
        assert isinstance(at.ledger(bytes(32)), S3Ledger)
    assert {service for service, _ in made} == {"kms", "s3"}
    assert {region for _, region in made} == {"us-east-1"}, "another region is asked"
