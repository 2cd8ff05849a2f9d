"""Checks on text going in and out; one file per check."""
