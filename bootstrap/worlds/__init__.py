"""The worlds Pico runs in. The one for tests, ours and other people's, is `InMemory`."""

from bootstrap.worlds.memory import InMemory

__all__ = ["InMemory"]
