"""Working settings of each channel, for tests that need one configured. A new channel adds a line."""

from collections.abc import Mapping
from typing import Any

from core.contracts import ChannelSpec
from core.settings import Section

WORKING: Mapping[str, Mapping[str, Any]] = {
    "email": {
        "address": "support@lumen.example",
        "webhook_secret": "0123456789abcdef",
        "mailgun_signing_key": "fedcba9876543210",
        "smtp_host": "127.0.0.1",
    },
    "slack": {
        "bot_token": "xoxb-1-abc",
        "signing_secret": "0123456789abcdef",
        "team_id": "T0LUMEN",
        "alert_channel": "C0ALERTS",
        "bot_user_id": "U0BOT",
    },
    "sms": {
        "account_sid": "AC" + "0" * 32,
        "auth_token": "0123456789abcdef",
        "from_number": "+15550100",
        "public_url": "https://help.example.com",
    },
    "telegram": {
        "bot_token": "7000000001:AAF-abcdefghijklmnopqrstuvwxyz01234",
        "webhook_secret": "0123456789abcdef",
        "username": "lumen_help_bot",
    },
    "voice": {
        "account_sid": "AC" + "0" * 32,
        "auth_token": "0123456789abcdef",
        "number": "+15550100100",
        "public_url": "https://help.example.com",
    },
    "web": {"key": "demo-widget"},
    "whatsapp": {
        "account_sid": "AC" + "0" * 32,
        "auth_token": "0123456789abcdef",
        "from_number": "+15550101",
        "public_url": "https://help.example.com",
    },
}


def working(spec: ChannelSpec) -> Section:
    """Return settings under which the channel is on."""
    return spec.settings(_env_file=None, **WORKING[spec.name])
