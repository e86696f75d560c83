"""The settings of a demonstration: none but where its data lies.

Whatever else the environment says about mail relays, databases and connected systems belongs to a
real installation.
"""

from __future__ import annotations

from pathlib import Path

from adapters.settings import Settings


def settings_of(folder: Path, port: int, database: str) -> Settings:
    plain = {name: field.default for name, field in Settings.model_fields.items()}
    return Settings(
        **{**plain, "home": folder, "host": "127.0.0.1", "port": port, "database_url": database}
    )
