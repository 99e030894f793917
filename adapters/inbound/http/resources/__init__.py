"""The API by theme: each module holds what comes in, what goes out, the handlers and their `ROUTES`."""
