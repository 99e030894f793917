"""Whether the process lives, and can serve."""

from __future__ import annotations

from dataclasses import dataclass

from pico_client.calls import Calls
from pico_client.results import Result


@dataclass(frozen=True, slots=True, repr=False)
class Health(Result):
    """Pico lives."""

    status: str


class HealthChecks(Calls):
    """What one asks of the process itself."""

    def healthz(self) -> Health:
        """Tell that the process lives."""
        return self._ask(Health, "GET", "/healthz")

    def readyz(self) -> Health:
        """Tell whether Pico can serve now. Raises Problem, with status 503, while it cannot."""
        return self._ask(Health, "GET", "/readyz")
