"""Where Pico is put together."""
