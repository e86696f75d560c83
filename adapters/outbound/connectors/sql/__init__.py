"""The connector `sql`: an organisation's own database, described in a file instead of in code."""

from __future__ import annotations

from adapters.outbound.connectors.sql.connector import Sql

__all__ = ["Sql"]
