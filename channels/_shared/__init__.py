"""Helpers shared by several channels; never a channel itself."""
