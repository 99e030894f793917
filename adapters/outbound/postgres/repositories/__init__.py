"""What one unit of work can read from PostgreSQL, one class a port. The text of every read is compiled at import."""
