"""Settings sections: each stands beside the code that uses it and is read once, in app/compose.py."""

from pydantic_settings import BaseSettings, SettingsConfigDict


class Section(BaseSettings):
    """A group of settings read from the environment (and `.env`) under one prefix.

    A section never reads `.env` by itself: compose passes `_env_file`, so tests see only what they set.
    """

    model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)
