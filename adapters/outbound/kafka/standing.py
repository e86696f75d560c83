"""How Kafka and the log stand to each other: what /health, metrics and alarms tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from adapters.outbound.database import Database


@dataclass(frozen=True, slots=True)
class Published:
    """How far the log has been published; `behind` counts positions, `trouble` is a code."""

    position: int
    behind: int
    messages: int
    trouble: str | None
    trouble_position: int | None
    trouble_since: datetime | None


@dataclass(frozen=True, slots=True)
class Receipts:
    """How far receipts were taken over all partitions, and how many were refused and why."""

    taken: int
    behind: int
    trouble: str | None
    refused: Mapping[str, int]
    refused_lately: int


@dataclass(frozen=True, slots=True)
class Standing:
    published: Published
    receipts: Receipts

    @property
    def warnings(self) -> list[str]:
        """What somebody has to see to."""
        return [*self._about_publishing(), *self._about_receipts()]

    def _about_publishing(self) -> list[str]:
        told = self.published
        if told.trouble is None:
            return []
        at = f" at position {told.trouble_position}" if told.trouble_position else ""
        return [f"nothing is published to Kafka: {told.trouble}{at}"]

    def _about_receipts(self) -> list[str]:
        found = []
        if self.receipts.trouble is not None:
            found.append(f"no receipts are taken from Kafka: {self.receipts.trouble}")
        if self.receipts.refused_lately:
            found.append(f"{self.receipts.refused_lately} receipts were refused in the last week")
        return found


def standing(database: Database) -> Standing | None:
    """None where nothing was ever published."""
    rows = database.fetch(
        "SELECT position, published, trouble, trouble_position, trouble_since,"
        " greatest(0, (SELECT coalesce(max(notification_id), 0) FROM trettio.log) - position)"
        " AS behind FROM trettio.publications ORDER BY name LIMIT 1"
    )
    if not rows:
        return None
    (row,) = rows
    (read,) = database.fetch(
        "SELECT coalesce(sum(taken), 0) AS taken, max(trouble) AS trouble,"
        " coalesce(sum(greatest(0, end_offset - next_offset)), 0) AS behind"
        " FROM trettio.receipt_positions"
    )
    refused = database.fetch(
        "SELECT reason, count(*) AS refused,"
        " count(*) FILTER (WHERE refused_at > clock_timestamp() - interval '7 days') AS lately"
        " FROM trettio.refused_receipts GROUP BY reason ORDER BY reason"
    )
    return Standing(
        Published(
            position=row["position"],
            behind=row["behind"],
            messages=row["published"],
            trouble=row["trouble"],
            trouble_position=row["trouble_position"],
            trouble_since=row["trouble_since"],
        ),
        Receipts(
            taken=int(read["taken"]),
            behind=int(read["behind"]),
            trouble=read["trouble"],
            refused={one["reason"]: one["refused"] for one in refused},
            refused_lately=sum(one["lately"] for one in refused),
        ),
    )
