"""What a mail provider says of an address: believed of the account that has it, and of none that had it before."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bootstrap.worlds import InMemory
from domain.accounts import Unreachable
from tests.support.actors import sign_up


@pytest.mark.parametrize(("seconds", "believed"), [(0, True), (-1, False)])
async def test_a_word_of_the_second_in_which_somebody_signed_up_is_about_them(
    world: InMemory, seconds: int, *, believed: bool
) -> None:
    await world.advance(timedelta(milliseconds=700))
    ada = await sign_up(world)
    said = (await world.use_cases.read_account(ada.id)).created_at.replace(microsecond=0)
    await world.use_cases.note_unreachable(ada.email, Unreachable.RETURNED, said + timedelta(seconds=seconds))
    noted = (await world.use_cases.read_account(ada.id)).unreachable
    assert noted is (Unreachable.RETURNED if believed else None)
