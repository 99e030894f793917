"""Reading the account itself."""

from __future__ import annotations

from typing import Protocol

from domain.accounts import Account


class Accounts(Protocol):
    """The one account of this unit of work."""

    async def get(self) -> Account:
        """Return the account. Raises NotFound once its rows are erased."""
        ...

    async def get_even_broken(self) -> Account:
        """Return the account, broken or not. Raises NotFound once its rows are erased."""
        ...
