"""What an operator may set, and what nobody may."""

from __future__ import annotations

import pytest

from adapters.outbound.system.passwords import LEAST, PasswordCost
from bootstrap.settings import BadSettings, Settings, read_settings

LEAST_SET = {"PICO_PASSWORD_MEMORY_MIB": "19", "PICO_PASSWORD_PASSES": "2", "PICO_PASSWORD_LANES": "1"}


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in LEAST_SET:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_a_password_costs_what_rfc_9106_recommends_unless_told_otherwise(
    variables: pytest.MonkeyPatch,
) -> None:
    assert read_settings(Settings).password_cost == PasswordCost(memory_mib=64, passes=3, lanes=4)
    for name, value in LEAST_SET.items():
        variables.setenv(name, value)
    assert read_settings(Settings).password_cost == LEAST == PasswordCost(memory_mib=19, passes=2, lanes=1)


@pytest.mark.parametrize("name", LEAST_SET)
def test_nothing_starts_with_passwords_below_the_minimum(variables: pytest.MonkeyPatch, name: str) -> None:
    variables.setenv(name, str(int(LEAST_SET[name]) - 1))
    with pytest.raises(BadSettings, match=name):
        read_settings(Settings)
