"""What Pico needs from outside, in its own words."""
