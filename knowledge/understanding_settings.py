"""How messages are understood, as far as it can be set."""

from pathlib import Path

from pydantic_settings import SettingsConfigDict

from core.settings import Section


class UnderstandingSettings(Section):
    """Heads of one's own, and a larger sentiment model in the place of the head."""

    model_config = SettingsConfigDict(
        env_prefix="USHER_UNDERSTANDING_", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    heads_dir: Path = Path("var/heads")
    shadow: bool = True
    sentiment_model: str = ""
