"""Reports of a month, made from the read models of an installation as of its last event."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from adapters.bootstrap import Installation
from adapters.outbound.typesetting import TypstTypesetter
from domain.vocabulary import Language
from projections.monthly import Month, month_of
from services.reporting import report_csv, report_pdf


def month_as_recorded(installation: Installation, controller: str, month: date) -> Month:
    """As the read models tell it, which stand at some event: the figures are as of that."""
    profile = installation.controllers.in_force(controller)
    position, as_of = _last_event(installation)
    return month_of(
        installation.database,
        controller,
        profile.country,
        month,
        as_of=as_of,
        position=position,
    )


def written_reports(
    installation: Installation, controller: str, month: date, language: Language | None
) -> Iterator[tuple[str, bytes]]:
    """The names and the contents of the files."""
    profile = installation.controllers.in_force(controller)
    told = month_as_recorded(installation, controller, month)
    spoken, name = language or profile.language, f"trettio-report-{controller}-{month:%Y-%m}"
    yield f"{name}.pdf", report_pdf(told, profile, spoken, TypstTypesetter())
    yield f"{name}.csv", report_csv(told, spoken)


def _last_event(installation: Installation) -> tuple[int, datetime]:
    """The event that the dashboard has taken last, and when it happened."""
    (row,) = installation.database.fetch(
        "SELECT max(notification_id) AS position FROM trettio.log WHERE notification_id <="
        " (SELECT position FROM views.positions WHERE view = 'dashboard')"
    )
    position = int(row["position"])
    events, _ = installation.log_source().read(position - 1, 1)
    return position, events[0].body.timestamp
