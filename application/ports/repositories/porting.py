"""Reading port requests."""

from __future__ import annotations

from typing import Protocol

from domain.porting import PortRequest, PortRequestId


class PortRequests(Protocol):
    """The numbers that the account brings along from other carriers."""

    async def get(self, port_id: PortRequestId) -> PortRequest:
        """Return one request. Raises NotFound, SealBroken."""
        ...

    async def get_even_broken(self, port_id: PortRequestId) -> PortRequest:
        """Return one request, broken or not. Raises NotFound."""
        ...

    async def list_all(self) -> list[PortRequest]:
        """Return all of them, broken or not, newest first."""
        ...
