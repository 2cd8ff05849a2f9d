"""Business decisions; one file per handler."""
