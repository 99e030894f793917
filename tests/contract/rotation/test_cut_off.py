"""The process dies in the middle of a rotation: the next one goes on, and comes to its end."""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from tests.contract.rotation.house import House


class Cut(Exception):
    """The process died."""


class Cutting:
    """Stands for a port: its calls are counted, and at one of them, before or after it, the process dies."""

    def __init__(self, of: Any, at: list[int]) -> None:
        self._of, self._at = of, at

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._of, name)
        if name == "list_all":
            return found

        async def cut(*given: Any, **named: Any) -> Any:
            self._count()
            result = await found(*given, **named)
            self._count()
            return result

        return cut

    def _count(self) -> None:
        self._at[0] -= 1
        if not self._at[0]:
            raise Cut


@pytest.mark.parametrize("seed", range(3))
async def test_wherever_it_is_cut_off_it_goes_on_and_comes_to_its_end(house: House, seed: int) -> None:
    chance, before = random.Random(seed), await house.seen()
    for version in range(2, 12):
        at = [chance.randrange(1, 26)]
        ports: dict[str, Any] = {
            name: Cutting(getattr(house.rotate, name), at) for name in ("keyring", "resealing", "objects")
        }
        cutting = replace(house.rotate, **ports)
        with suppress(Cut):
            await cutting.begin(house.ada.id)
            await house.heard()
            await cutting.finish(house.ada.id)
        assert await house.seen() == before, f"cut off in the making of key {version}"
        await rotated_on(house, version)
        assert await house.seen() == before
        assert await house.world.keyring.count(house.ada.id) == 1


async def rotated_on(house: House, version: int) -> None:
    """Go on until the account has this key and no other."""
    key = await house.world.keyring.reopen(house.ada.id)
    if key.version < version:
        await house.rotate.begin(house.ada.id)
    await house.heard()
    await house.rotate.finish(house.ada.id)
    assert (await house.world.keyring.reopen(house.ada.id)).version == version
