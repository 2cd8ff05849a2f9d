"""Backtests: what past questions would come to, and one page about it to forward."""
