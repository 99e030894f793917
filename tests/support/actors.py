"""People as our tests like them best: Ada, and always with the same number."""

from __future__ import annotations

from pico_testkit import PASSWORD, STRANGER, InMemory, Person

__all__ = ["PASSWORD", "STRANGER", "Person", "held", "sign_up", "with_line"]


async def held() -> None:
    """Hold a job that nobody else could take."""


async def sign_up(world: InMemory, name: str = "ada") -> Person:
    """Sign up and verify."""
    return await world.signed_up(name)


async def with_line(world: InMemory, name: str = "ada", number: str = "+12025550143") -> Person:
    """Sign up, verify, buy a line."""
    return await (await sign_up(world, name)).with_line(number, f"{name}'s line")
