"""The repositories of one unit of work, over rows in memory."""
