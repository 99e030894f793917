"""Ways in: HTTP, webhooks, jobs, the command line."""
