"""Several carriers at once, each behind the port that it has alone."""
