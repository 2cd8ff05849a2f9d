"""Tests of handlers/, each against ports only."""
