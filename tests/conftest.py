"""What holds for every test."""

from hypothesis import settings

# How long an example takes is measured by `./pico bench`: a machine that does something else fails no test.
settings.register_profile("pico", deadline=None)
settings.load_profile("pico")
