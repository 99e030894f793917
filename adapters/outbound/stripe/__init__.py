"""Stripe: payments, with the simulator that stands for it."""
