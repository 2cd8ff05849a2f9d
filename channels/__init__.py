"""Adapters between a provider and Inbound/Outbound; one file per channel."""
