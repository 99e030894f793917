"""The examination: every part is read once, side by side, and each of its checks answers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg
from aiohttp import ClientError
from botocore.exceptions import BotoCoreError
from botocore.exceptions import ClientError as AwsRefused

from adapters.inbound.cli.doctor_report import Finding, Outcome
from adapters.outbound.aws.calls import TooManyCalls
from bootstrap.doctor.checks import CannotTell, Check, Part
from bootstrap.doctor.examined import Examined, production, sandbox
from bootstrap.doctor.parts import PARTS
from bootstrap.settings import Options, ProductionSettings, Settings, World, chosen_world, read_settings
from domain.kernel import PicoError

UNREACHED = (
    CannotTell,
    PicoError,
    AwsRefused,
    BotoCoreError,
    TooManyCalls,
    ClientError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,
)
"""What is raised where something does not answer, or refuses to."""
MISSHAPEN = (KeyError, IndexError, AttributeError, TypeError, ValueError)
"""What is raised where an answer lacks what is looked at."""
OTHER_SHAPE = "The answer is not of the shape that is documented."


async def examine(examined: Examined, parts: Sequence[Part[Any]] = PARTS) -> list[Finding]:
    """Return what every check came to, in the order of the parts. Repeating is harmless: nothing is changed."""
    found = await asyncio.gather(*(_of(part, examined) for part in parts))
    return [finding for findings in found for finding in findings]


async def of_chosen_world(options: Options) -> list[Finding]:
    """Look at Production or at a Sandbox that runs. Raises BadSettings, PostgresUnavailable."""
    if chosen_world() is World.PRODUCTION:
        looked_at = production(read_settings(ProductionSettings, options))
    else:
        looked_at = sandbox(read_settings(Settings, options))
    async with looked_at as examined:
        return await examine(examined)


async def _of(part: Part[Any], examined: Examined) -> list[Finding]:
    if examined.aws is None and not part.in_sandbox:
        return [_finding(part, check, Outcome.ELSEWHERE, check.holds) for check in part.checks]
    if not part.configured(examined):
        return [_finding(part, check, Outcome.ABSENT, "It is not configured.") for check in part.checks]
    try:
        facts = await part.read(examined)
    except UNREACHED as error:
        reason = _reason(error)
    except MISSHAPEN:
        reason = OTHER_SHAPE
    else:
        return [
            _answered(part, check, facts)
            if check.in_sandbox or examined.aws is not None
            else _finding(part, check, Outcome.ELSEWHERE, check.holds)
            for check in part.checks
        ]
    return [_finding(part, check, Outcome.UNKNOWN, reason) for check in part.checks]


def _answered(part: Part[Any], check: Check[Any], facts: object) -> Finding:
    try:
        wrong = check.wrong(facts)
    except CannotTell as error:
        return _finding(part, check, Outcome.UNKNOWN, _reason(error))
    except MISSHAPEN:
        return _finding(part, check, Outcome.UNKNOWN, OTHER_SHAPE)
    return _finding(
        part,
        check,
        Outcome.KEPT if wrong is None else Outcome.BROKEN,
        check.holds if wrong is None else wrong,
    )


def _finding(part: Part[Any], check: Check[Any], outcome: Outcome, says: str) -> Finding:
    return Finding(f"{part.name}.{check.name}", check.clauses, outcome, says)


def _reason(error: BaseException) -> str:
    """Say why something could not be read: our own sentence, or a code. A driver's own words may quote a value."""
    match error:
        case CannotTell():
            return str(error)
        case AwsRefused():
            return f"AWS answers {error.response.get('Error', {}).get('Code', 'nothing')} to {error.operation_name}."
        case PicoError():
            return f"It answers {error.code}."
        case asyncpg.PostgresError():
            return f"PostgreSQL answers {error.sqlstate}."
    return f"It cannot be reached ({type(error).__name__})."
