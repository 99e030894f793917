"""Telnyx: adapter and simulator."""
