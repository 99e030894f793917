"""What stands for the app stores on loopback."""

from adapters.outbound.stores.simulator.app_store import AppStoreSimulator
from adapters.outbound.stores.simulator.certificates import Authority
from adapters.outbound.stores.simulator.google_play import GooglePlaySimulator

__all__ = ["AppStoreSimulator", "Authority", "GooglePlaySimulator"]
