"""`./pico bench`: Pico's ratio to a floor written by hand, side by side in one run. Start reading at bench.py."""
