"""Latency and answer-quality runs; printed numbers, never asserted in tests."""
