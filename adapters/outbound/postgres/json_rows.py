"""Rows as JSON, for exports: PostgreSQL writes what is plain, and what is sealed is opened and put in beside it.

No aggregate is built and no plain value read: with them a row took five times as long.
"""

from __future__ import annotations

from collections.abc import Callable
from json import JSONEncoder
from uuid import UUID

import sqlalchemy as sa

from adapters.outbound.postgres.codec import CODECS
from adapters.outbound.postgres.decoding import Broken, Row, Values
from adapters.outbound.postgres.sealed_forms import text_form
from adapters.outbound.postgres.sealing import AccountCipher
from adapters.outbound.postgres.statements import compiled
from adapters.outbound.postgres.tables import SEAL
from application.inventory import Stored
from domain.classification import StorageKind

ID = "id"
IN_UTC = '+00:00"'
"""How PostgreSQL ends a time in UTC, and nothing else that is plain: ids, references, enums, counts."""
_JSON = JSONEncoder(ensure_ascii=False, default=text_form).encode


class JsonRows:
    """Reads a page of one table's rows as JSON objects of their exported columns."""

    def __init__(self, stored: Stored) -> None:
        codec = CODECS[stored.of]
        columns = codec.table.c
        sealed = [field.name for field in codec.readable if field.policy.kind is StorageKind.SEALED]
        seal = (
            (SEAL,) if codec.sealing == SEAL else ()
        )  # opened for what it proves, as is what is not exported
        self._values = Values(codec, (ID, *sealed, *seal))
        self._put_in = tuple(
            (f', "{name}": ', at) for at, name in enumerate(sealed, 1) if name in stored.exported
        )
        plain = [
            part for name in stored.exported if name not in sealed for part in (_literal(name), columns[name])
        ]
        rows = sa.select(*self._values.columns, sa.cast(sa.func.json_build_object(*plain), sa.Text))
        rows = rows.where(
            columns[codec.owner] == sa.bindparam("account_id"), columns[ID] > sa.bindparam("after")
        )
        rows = rows.order_by(columns[ID]).limit(sa.bindparam("limit", type_=sa.Integer()))
        self.statement = compiled(rows, "account_id", "after", "limit")

    def writer(self, cipher: AccountCipher, broken: Broken) -> Callable[[Row], tuple[str, UUID, bool]]:
        """Return what writes a row: its JSON, its id, and whether something of it does not open and so is null."""
        opened, put_in = self._values.opener(cipher, broken), self._put_in

        def write(row: Row) -> tuple[str, UUID, bool]:
            values, unreadable = opened(row)
            text: str = row[-1].replace(IN_UTC, 'Z"')
            if put_in:
                text = text[:-1] + "".join([name + _JSON(values[at]) for name, at in put_in]) + "}"
            return text, values[0], bool(unreadable)

        return write


def _literal(name: str) -> sa.ColumnElement[str]:
    return sa.literal_column(f"'{name}'")
