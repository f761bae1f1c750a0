"""Settings: by environment (``GRANTWAY_…``) or one TOML file. Unknown keys stop the start with a sentence."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """All settings of a server."""

    model_config = SettingsConfigDict(env_prefix="GRANTWAY_", extra="forbid", frozen=True)

    data: Path = Field(Path("data"), description="Directory of the SQLite database and of a drawn master key.")
    public_url: str | None = Field(None, description="The address that people and clients use; required off loopback.")
    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8080, description="Port to listen on.")
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = Field((), description="Proxies whose X-Forwarded-For counts.")
    platform_name: str = Field("Grantway", description="The platform's name, as customers know it.")
    writer: Literal["auto", "tick", "thread"] = Field("auto", description="Where SQLite commits run.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What is logged.")

    @property
    def issuer(self) -> str:
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")
