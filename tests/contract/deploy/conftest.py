"""Everything of `deploy/aws` at moto."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.cloud import Cloud, deployed_cloud


@pytest.fixture(scope="session")
def cloud() -> Iterator[Cloud]:
    with deployed_cloud() as deployed:
        yield deployed
