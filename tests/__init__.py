"""Mirrors the packages: tests/channels/test_sms.py tests channels/sms.py."""
