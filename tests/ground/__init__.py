"""Tests of what the tests stand on: services, databases, guards, browser."""
