"""What an operator's command needs: the product, opened beside whatever serves it, for as long as the command takes."""

# ruff: noqa: PLC0415 - the heavy half is imported when a command needs it

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from adapters.inbound.cli.options import Options
from bootstrap.settings import Settings, World, chosen_world, read_settings
from domain.audit import AuditKind
from domain.kernel import AccountId

if TYPE_CHECKING:
    from bootstrap.process import Product

R = TypeVar("R")


class CannotOpen(Exception):
    """The product cannot be opened: a database or the key service does not answer, or its schema is another one."""

    def __str__(self) -> str:
        """Return the first line of the docstring."""
        return (type(self).__doc__ or "").splitlines()[0]


@dataclass(frozen=True, slots=True)
class Access:
    """What an operator's command is about to do, and to which account: it is audited before it is done."""

    kind: AuditKind
    account_id: AccountId | None = None


def with_product(options: Options, access: Access, act: Callable[[Product], Awaitable[R]]) -> R:
    """Open the product, do something with it, and close it.

    Raises BadSettings, PostgresUnavailable, CannotOpen; NotFound and KeyGone when there is no such account.
    """
    from adapters.outbound.postgres.schema import NotMigrated
    from bootstrap.event_loop import run
    from domain.kernel import ErrorKind, PicoError

    async def do() -> R:
        async with product_at_hand(options, access) as product:
            return await act(product)

    try:
        return run(do())
    except NotMigrated:
        pass
    except PicoError as error:
        if error.kind is not ErrorKind.UNAVAILABLE:
            raise
    raise CannotOpen


def note(options: Options, access: Access) -> None:
    """Have audited what a command does without the product. Raises as `with_product`."""

    async def nothing_else(_: Product) -> None:
        pass

    with_product(options, access, nothing_else)


@asynccontextmanager
async def product_at_hand(options: Options, access: Access) -> AsyncIterator[Product]:
    """Open the product of the chosen world for one thing, beside what serves it, and have that audited.

    Raises as `serve`, and as `with_product`.
    """
    if chosen_world() is World.PRODUCTION:
        from bootstrap.worlds.production import Production

        opened = Production.from_environment(options).opened()
    else:
        from bootstrap.worlds.sandbox import Sandbox

        opened = Sandbox.opened(read_settings(Settings, options))
    async with opened as product:
        await product.use_cases.note_operator_access(access.kind, access.account_id)
        yield product
