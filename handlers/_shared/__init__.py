"""What several handlers use; never a handler itself."""
