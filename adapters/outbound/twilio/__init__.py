"""Twilio: adapter and simulator."""
