"""What the queue says to the database.

Every statement that locks is about one account, and one that needs a lease names the lease's token.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from adapters.outbound.postgres.statements import compiled
from adapters.outbound.postgres.tables import JOBS, JobState

_J = JOBS.c
_NOW = sa.func.now()
_LEASE, _DELAY, _BY = (sa.bindparam(name, type_=sa.Interval()) for name in ("lease", "delay", "by"))
_CODE = sa.bindparam("code", type_=_J.failure.type)
_WAITING, _LEASED, _DEAD = (sa.literal_column(f"'{state}'", _J.state.type) for state in JobState)
_ALIVE = _J.state != _DEAD
_DUE = sa.and_(_ALIVE, _J.due_at <= _NOW)
_MINE = sa.and_(
    _J.account_id == sa.bindparam("account_id"), _J.id == sa.bindparam("id"), _J.token == sa.bindparam("token"),
    _J.state == _LEASED,
)  # fmt: skip
_HELD = ("account_id", "id", "token")
_IDS = sa.bindparam("ids", type_=postgresql.ARRAY(_J.id.type))

_LIMIT = sa.bindparam("limit", type_=sa.Integer())
DUE = compiled(
    sa.select(_J.account_id, _J.id, _J.name).where(_DUE).order_by(_J.due_at).limit(_LIMIT), "limit"
)
DUE_OF = compiled(
    sa.select(_J.account_id, _J.id, _J.name)
    .where(_DUE, _J.name == sa.func.any(sa.bindparam("names", type_=postgresql.ARRAY(_J.name.type))))
    .order_by(_J.due_at + sa.literal_column("interval '0'", sa.Interval()))
    .limit(_LIMIT),
    "limit",
    "names",
)
"""Of some kinds only, by the index of names: walked in order, the other one shows all that is left out."""
CLAIM = compiled(
    sa.update(JOBS)
    .where(_J.account_id == sa.bindparam("account_id"), _J.id == sa.func.any(_IDS), _DUE)
    .values(state=_LEASED, due_at=_NOW + _LEASE, token=_J.token + sa.literal_column("1"),
            attempts=_J.attempts + sa.literal_column("1"))
    .returning(_J.id, _J.name, _J.subject, _J.attempts, _J.token, _J.queued_at),
    "account_id", "ids", "lease",
)  # fmt: skip
"""Whoever comes second waits for the first, finds the jobs no longer due, and gets none."""
RENEW = compiled(sa.update(JOBS).where(_MINE).values(due_at=_NOW + _LEASE), *_HELD, "lease")
DONE = compiled(sa.delete(JOBS).where(_MINE), *_HELD)
AGAIN = compiled(
    sa.update(JOBS).where(_MINE).values(state=_WAITING, due_at=_NOW + _DELAY, failure=_CODE), *_HELD, "delay", "code"
)  # fmt: skip
DEAD = compiled(sa.update(JOBS).where(_MINE).values(state=_DEAD, failure=_CODE), *_HELD, "code")
PUT_BACK = compiled(
    sa.update(JOBS)
    .where(_MINE)
    .values(state=_WAITING, due_at=_NOW, attempts=_J.attempts - sa.literal_column("1")),
    *_HELD,
)
SHIFT = compiled(sa.update(JOBS).where(_J.state == _WAITING).values(due_at=_J.due_at - _BY), "by")
_FAR = sa.and_(_ALIVE, _J.due_at > _NOW + sa.bindparam("beyond", type_=sa.Interval()))
FAR = compiled(
    sa.select(_J.account_id, _J.id).where(_FAR).limit(sa.bindparam("limit", type_=sa.Integer())),
    "beyond",
    "limit",
)
RECALL = compiled(
    sa.update(JOBS)
    .where(_J.account_id == sa.bindparam("account_id"), _J.id == sa.bindparam("id"), _FAR)
    .values(due_at=_NOW),
    "account_id", "id", "beyond",
)  # fmt: skip
"""A lease that would end so far ahead ends now; whoever still works under it renews it, or hears that it is gone."""
ALL_OF = compiled(
    sa.select(_J.account_id, sa.cast(_J.state, sa.Text()), _J.queued_at, _J.due_at, _J.attempts, _J.failure)
    .where(_J.name == sa.bindparam("name"))
    .order_by(_J.queued_at),
    "name",
)
WAITING = compiled(sa.select(sa.func.count()).select_from(JOBS).where(_ALIVE))
