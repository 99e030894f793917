"""Statements of the keyring about accounts that get another key."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from adapters.outbound.postgres.keyring_tables import ACCOUNT_KEYS, ENDINGS, EPOCHS
from adapters.outbound.postgres.statements import compiled, value

_K, _E = ACCOUNT_KEYS.c, ENDINGS.c
_OF, _ENDED_OF = _K.account_id == sa.bindparam("account_id"), _E.account_id == sa.bindparam("account_id")
_VERSION = sa.bindparam("version", type_=_K.version.type)
_MANY = postgresql.ARRAY(postgresql.BYTEA())


def _add() -> str:
    """Add a key beside the one before it, which must be there still, under a master key that is not closed."""
    former = sa.select(_K.version).where(_OF, _K.version == sa.bindparam("former", type_=_K.version.type))
    held = former.with_for_update(read=True).cte("held")
    its = EPOCHS.c.master == value("master", _K.master)
    open_ = (
        sa.select(EPOCHS.c.number)
        .where(its, EPOCHS.c.closed_at.is_(None))
        .with_for_update(read=True)
        .cte("open")
    )
    may = sa.or_(sa.exists(sa.select(open_)), ~sa.exists(sa.select(EPOCHS.c.number).where(its)))
    given = {name: value(name, _K[name]) for name in ("account_id", "key_id", "master", "wrapped", "chain")}
    row = sa.select(*given.values(), held.c.version + sa.literal_column("1")).select_from(held).where(may)
    insert = postgresql.insert(ACCOUNT_KEYS).from_select([*given, "version"], row)
    return compiled(
        insert.on_conflict_do_nothing(), "account_id", "key_id", "master", "wrapped", "former", "chain"
    )


ADD = _add()
UNHEARD = compiled(
    sa.select(sa.func.max(_K.created_at) + sa.bindparam("after", type_=sa.Interval()) - sa.func.now()).where(_OF),
    "account_id", "after",
)  # fmt: skip
MARKS = compiled(sa.select(_E.mark).where(_ENDED_OF, _E.version < _VERSION), "account_id", "version")


def _move() -> str:
    pairs = sa.func.unnest(sa.bindparam("former", type_=_MANY), sa.bindparam("mark", type_=_MANY))
    moved = pairs.table_valued(
        sa.column("former", _E.mark.type), sa.column("mark", _E.mark.type)
    ).render_derived()
    update = sa.update(ENDINGS).values(mark=moved.c.mark, version=_VERSION)
    update = update.where(_ENDED_OF, _E.version < _VERSION, _E.mark == moved.c.former)
    return compiled(update, "account_id", "version", "former", "mark")


MOVE = _move()
DROP = compiled(
    sa.delete(ACCOUNT_KEYS).where(
        _OF, _K.version < _VERSION, ~sa.exists(sa.select(_E.mark).where(_ENDED_OF, _E.version < _VERSION))
    ),
    "account_id", "version",
)  # fmt: skip
OLDER = compiled(
    sa.select(_K.account_id)
    .where(_K.account_id > sa.bindparam("last", type_=_K.account_id.type))
    .group_by(_K.account_id)
    .having(sa.or_(sa.func.max(_K.created_at) < sa.bindparam("than", type_=_K.created_at.type),
                   sa.func.count() > sa.literal_column("1")))
    .order_by(_K.account_id)
    .limit(sa.bindparam("limit", type_=sa.Integer())),
    "than", "last", "limit",
)  # fmt: skip
