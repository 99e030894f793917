"""What stands for the app stores on loopback."""

from adapters.outbound.stores.simulator.app_store import AppStoreSimulator
from adapters.outbound.stores.simulator.certificates import Authority

__all__ = ["AppStoreSimulator", "Authority"]
