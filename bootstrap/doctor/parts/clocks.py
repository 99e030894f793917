"""Clocks: those of this machine, of both databases, of AWS and of the carrier tell the same time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from adapters.outbound.system.clock import TOLERANCE
from bootstrap.doctor.checks import CannotTell, Check, Part
from bootstrap.doctor.examined import Examined


@dataclass(frozen=True, slots=True)
class Clocks:
    """How far each is ahead of this machine's; None where it was not told."""

    ahead: Mapping[str, timedelta | None]


def _here() -> datetime:
    return datetime.now(UTC)


async def _read(examined: Examined) -> Clocks:
    ahead = dict[str, timedelta | None]()
    for name, url in (("database", examined.database_url), ("keyring", examined.keyring_url)):
        async with examined.reading(url) as connection:
            ahead[name] = await connection.fetchval("SELECT clock_timestamp()") - _here()
    ahead["aws"] = await _of_aws(examined)
    ahead["carrier"] = await _of_carrier(examined)
    return Clocks(ahead)


async def _of_aws(examined: Examined) -> timedelta | None:
    if examined.aws is None:
        return None
    answer = await examined.aws("sts", "get_caller_identity")
    return _ahead(answer["ResponseMetadata"]["HTTPHeaders"].get("date", ""))


async def _of_carrier(examined: Examined) -> timedelta | None:
    """Ask without saying who we are: a refusal has a date, too."""
    url = examined.twilio.content.api_url
    async with examined.session.get(f"{url}/2010-04-01/", allow_redirects=False) as answer:
        return _ahead(answer.headers.get("Date", ""))


def _ahead(date: str) -> timedelta | None:
    return parsedate_to_datetime(date) - _here() if date else None


def _in_step(name: str) -> Check[Clocks]:
    def wrong(of: Clocks) -> str | None:
        ahead = of.ahead[name]
        if ahead is None:
            raise CannotTell("It told no time.")
        if abs(ahead) <= TOLERANCE:
            return None
        return f"It differs by {int(abs(ahead).total_seconds())} seconds: nothing is destroyed for its age meanwhile."

    return Check(
        name, ("H29",), "It tells the time that this machine tells.", wrong, in_sandbox=name != "aws"
    )


PART = Part(
    name="clocks",
    read=_read,
    in_sandbox=True,
    checks=tuple(map(_in_step, ("database", "keyring", "aws", "carrier"))),
)
