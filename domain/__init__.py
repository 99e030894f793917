"""The rules of Pico: pure Python, no clock, no I/O."""
