"""Every setting, its default and its environment variable. docs/settings.md lists them; a test keeps the two the same."""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from barnhand.core.errors import ConfigurationError


def default_root() -> Path:
    """``/var/lib/barnhand`` for root, ``~/.local/share/barnhand`` (XDG base directory) for everybody else."""
    if os.geteuid() == 0:
        return Path("/var/lib/barnhand")
    return Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local/share")) / "barnhand"


class Settings(BaseSettings):
    """What can be set. Everything has a default that works on one machine."""

    model_config = SettingsConfigDict(env_prefix="BARNHAND_", frozen=True, extra="ignore", env_ignore_empty=True)

    data: Path = Field(default_factory=default_root, description="The folder everything is kept in.")
    host: str = Field("127.0.0.1", description="Address the page is served on; 0.0.0.0 lets the whole network in.")
    port: int = Field(8000, ge=1, le=65535, description="Port the page is served on.")
    database_url: SecretStr | None = Field(
        None, description="A PostgreSQL to use instead of the embedded one: postgresql://user:password@host/name."
    )
    redis_url: SecretStr | None = Field(
        None, description="A Redis or Valkey to use instead of the embedded one: redis://host:6379."
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where the networks run.")
    analysts: int = Field(
        default_factory=lambda: max(1, (os.cpu_count() or 2) - 1),
        ge=0,
        le=64,
        description="Processes that analyse, one core each; default is one less than the cores there are.",
    )
    analysis_fps: float = Field(5.0, gt=0, le=30, description="Pictures a second analysed of each camera.")
    retention_days: float = Field(14.0, gt=0, description="Recordings older than this are removed unless protected.")
    retention_gb: float | None = Field(None, gt=0, description="Most space the recordings may take, in GB (10^9 bytes).")
    min_free_gb: float = Field(2.0, ge=0, description="Free space always left on the disk; the oldest recordings make room.")
    conversions: int = Field(
        default_factory=lambda: max(1, (os.cpu_count() or 2) // 2),
        ge=0,
        le=64,
        description="H.265 cameras converted live at once for browsers that cannot play them; default is half the cores.",
    )
    converted_gb: float = Field(1.0, ge=0.1, description="Most space converted copies of recordings may take, in GB.")
    youtube_cookies: Path | None = Field(None, description="A cookies file of somebody signed in to YouTube.")
    youtube_proxies: str = Field(
        "", repr=False, description="Proxies to ask YouTube through when it refuses this machine, parted by commas."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="How much the logs say.")


def read_settings() -> Settings:
    """Settings from the environment. Raises ``ConfigurationError`` naming the variable that cannot be used."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "BARNHAND_" + "__".join(str(part) for part in first["loc"]).upper()
        raise ConfigurationError(f"{name} cannot be used: {first['msg'].lower()}") from error
