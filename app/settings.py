"""The server's own settings; each part has its section beside its code."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from core.settings import Section


class ServerSettings(Section):
    """How this process runs.

    `environment` development binds to loopback, accepts the key `dev` and shows the simulator. `base_url` is
    what links in alerts and mails begin with. `secret` signs visitor tokens and keys the digests of one-time codes;
    empty makes one in `var_dir`. `crash_point` is for fault tests only.
    """

    model_config = SettingsConfigDict(env_prefix="USHER_")

    environment: Literal["development", "production"] = "production"
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65_535)
    base_url: str = ""
    var_dir: Path = Path("var")
    secret: SecretStr = SecretStr("")
    log_level: str = "INFO"
    turn_workers: int = Field(default=8, ge=1, le=64)
    embedded_worker: bool = True
    reply_wait: float = Field(default=15.0, gt=0, le=60)
    crash_point: str = ""

    @property
    def development(self) -> bool:
        """Whether this is somebody's own machine."""
        return self.environment == "development"

    @property
    def url(self) -> str:
        """Where this server is reached."""
        return self.base_url.rstrip("/") or f"http://{self.host}:{self.port}"
