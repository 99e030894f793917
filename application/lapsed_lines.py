"""What becomes of lines as their account closes and opens, and as its subscription lapses and is paid again."""

from __future__ import annotations

from datetime import datetime

from application.line_release import FINISH_RELEASE
from application.ports.jobs import Job
from application.ports.store import Tx
from domain.accounts import Account, InboundChoice
from domain.billing import Offers, Subscription
from domain.lines import PhoneLine
from domain.retention import Retention


async def settle_lines(
    tx: Tx,
    account: Account,
    subscription: Subscription | None,
    offers: Offers,
    retention: Retention,
    now: datetime,
) -> None:
    """Silence the lines, or open them again, or give them up, as part of `tx`. Repeating is harmless.

    What goes is every line past what is free, the youngest first.
    """
    if not account.is_active:
        return  # shut by the deletion, and to be opened by the recovery
    lines = [line for line in await tx.lines.list_all() if line.holds_number]
    silent = offers.silences(subscription, len(lines), now)
    lost = silent and subscription is not None and subscription.gives_lines_up(now)
    kept = retention.released_number
    for place, line in enumerate(sorted(lines, key=lambda line: line.id)):
        if lost and place >= offers.free.lines and line.may_be_given_up:
            if line.release(now, kept.ends(now)):
                tx.queue(Job(FINISH_RELEASE, account.id, line.id, kept.keep))
        elif silent and place >= offers.free.lines:
            line.suspend()
        else:
            follow_account(line, account, now)
        tx.save(line)


def follow_account(line: PhoneLine, account: Account, at: datetime) -> None:
    """Have a line that is paid be what its account is: shut, frozen, or in use. Repeating is harmless."""
    if not account.is_active:
        line.suspend()
    elif account.restriction is None:
        line.resume(at)
    else:
        line.restrict(takes_in=account.restriction is InboundChoice.ACCEPTED)
