"""The outside, made to fit the ports."""
