"""`/metrics` for Prometheus: figures of the database, alike at every process, and of this process.

It takes a token with the scope `metrics` and tells of the controllers that the token may see. No
label names a person, a case or a member of staff, and each has few values.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import version
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from adapters.bootstrap import Installation
from adapters.inbound.api.auth import ApiRoute, Installed, needs, seen
from adapters.inbound.kafka.positions import Reason
from adapters.inbound.web.board_memory import Remembered
from adapters.outbound.kafka.standing import standing
from adapters.outbound.tokens import Bearer, Scope
from projections.attention import Needs
from projections.attention import needs as attention
from projections.board import Selection
from projections.connector_tasks import failures
from projections.figures import Measures
from projections.projection import civil_dates

Watcher = Annotated[Bearer, Depends(needs(Scope.METRICS))]
DATES = ("target", "promise", "statutory")
OUTCOMES = {
    "open": "open",
    "in-full": "in_full",
    "in-part": "in_part",
    "refused": "refused",
    "referred": "referred",
    "withdrawn": "withdrawn",
}
DAYS_LEFT = {
    "late": "open_late",
    "0-2": "open_0_to_2_days",
    "3-7": "open_3_to_7_days",
    "8-14": "open_8_to_14_days",
    "15+": "open_15_days_or_more",
}
WAITS = {
    "second-person": "second_person",
    "officer": "officer",
    "breach": "breaches",
    "by-hand": "by_hand",
    "unavailable": "unavailable",
}

router = APIRouter(route_class=ApiRoute, include_in_schema=False)


@router.get("/metrics")
def metrics(request: Request, installation: Installed, bearer: Watcher) -> Response:
    registry = CollectorRegistry()
    memory: Remembered = request.app.state.figures
    registry.register(Figures(installation, memory, tuple(seen(installation, bearer, None))))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class Figures(Collector):
    """What the database tells of these controllers."""

    def __init__(
        self, installation: Installation, memory: Remembered, controllers: tuple[str, ...]
    ) -> None:
        self._installation, self._memory = installation, memory
        self._database, self._controllers = installation.database, controllers

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("trettio", "The program", value={"version": version("trettio")})
        now = self._installation.clock()
        found = self._memory.figures(self._database, Selection(self._controllers), civil_dates(now))
        yield from _requests({one.of or "": one for one in found.by_controller})
        yield from _waiting(
            {name: attention(self._database, [name]) for name in self._controllers}, now
        )
        yield from self._tasks(now)
        yield from self._systems()
        yield from self._log()
        yield from self._kafka()

    def _tasks(self, now: datetime) -> Iterator[Metric]:
        number = GaugeMetricFamily(
            "trettio_tasks",
            "Work in the queue: due, later (or in hand), or parked for a person",
            labels=["controller", "kind", "state"],
        )
        oldest = GaugeMetricFamily(
            "trettio_tasks_oldest_due_seconds",
            "How long the oldest task that is due has been due",
            labels=["controller", "kind"],
        )
        for row in self._database.fetch(
            "SELECT controller, kind, sum(due) AS due, sum(later) AS later, sum(parked) AS parked,"
            " extract(epoch FROM clock_timestamp() - min(oldest_due_at)) AS seconds"
            " FROM views.tasks_waiting WHERE controller = ANY(%s) GROUP BY 1, 2 ORDER BY 1, 2",
            [list(self._controllers)],
        ):
            of = [row["controller"], row["kind"]]
            for state in ("due", "later", "parked"):
                number.add_metric([*of, state], float(row[state]))
            oldest.add_metric(of, max(0.0, float(row["seconds"] or 0)))
        yield from (number, oldest)

    def _systems(self) -> Iterator[Metric]:
        labels = ["controller", "system"]
        failed = CounterMetricFamily(
            "trettio_system_failures", "How often a connected system failed", labels=labels
        )
        suspended = GaugeMetricFamily(
            "trettio_system_suspended", "1 while a system is only probed", labels=labels
        )
        waiting = GaugeMetricFamily(
            "trettio_system_requests",
            "Requests that a system has not done with: unavailable, by-hand or any",
            labels=[*labels, "state"],
        )
        for one in failures(self._database, self._controllers):
            of = [one.controller, one.system]
            failed.add_metric(of, one.failures)
            suspended.add_metric(of, float(one.suspended_at is not None))
            waiting.add_metric([*of, "unavailable"], one.unavailable_now)
            waiting.add_metric([*of, "by-hand"], one.waiting_for_person)
            waiting.add_metric([*of, "any"], one.open)
        yield from (failed, suspended, waiting)

    def _log(self) -> Iterator[Metric]:
        behind = GaugeMetricFamily(
            "trettio_view_events_behind", "Events that a read model lacks", labels=["view"]
        )
        parked = GaugeMetricFamily(
            "trettio_view_aggregates_parked",
            "Aggregates that a read model could not follow",
            labels=["view"],
        )
        position = 0
        for view in self._installation.views.states():
            behind.add_metric([view.view], view.behind)
            parked.add_metric([view.view], view.parked)
            position = max(position, view.position + view.behind)
        yield from (behind, parked)
        yield CounterMetricFamily(
            "trettio_log_position", "Position of the last event in the log", value=position
        )

    def _kafka(self) -> Iterator[Metric]:
        found = standing(self._database)
        if found is None:
            return
        published, receipts = found.published, found.receipts
        yield CounterMetricFamily(
            "trettio_kafka_published_position",
            "Position of the log up to which Kafka has everything",
            value=published.position,
        )
        yield GaugeMetricFamily(
            "trettio_kafka_positions_behind",
            "Positions of the log that Kafka has not been told of",
            value=published.behind,
        )
        yield CounterMetricFamily(
            "trettio_kafka_messages", "Messages that Kafka acknowledged", value=published.messages
        )
        yield GaugeMetricFamily(
            "trettio_kafka_stopped",
            "1 while nothing is published although there is something to publish",
            value=float(published.trouble is not None),
        )
        yield CounterMetricFamily(
            "trettio_kafka_receipts", "Receipts read from Kafka", value=receipts.taken
        )
        yield GaugeMetricFamily(
            "trettio_kafka_receipts_behind",
            "Receipts in Kafka that have not been read",
            value=receipts.behind,
        )
        refused = CounterMetricFamily(
            "trettio_kafka_receipts_refused", "Receipts that had no effect", labels=["reason"]
        )
        for reason in Reason:
            refused.add_metric([reason.value], receipts.refused.get(reason.value, 0))
        yield refused


def _requests(measured: dict[str, Measures]) -> Iterator[Metric]:
    requests = GaugeMetricFamily(
        "trettio_requests", "Requests by how they stand", labels=["controller", "outcome"]
    )
    left = GaugeMetricFamily(
        "trettio_requests_open",
        "Open requests by the days left to the day to aim for",
        labels=["controller", "days_left"],
    )
    past = GaugeMetricFamily(
        "trettio_requests_past_due",
        "Open requests that are past one of their dates",
        labels=["controller", "date"],
    )
    answers = GaugeMetricFamily(
        "trettio_requests_in_time",
        "Requests that kept or missed one of their dates, as far as that is known",
        labels=["controller", "date", "kept"],
    )
    risk = GaugeMetricFamily(
        "trettio_requests_risk_days",
        "Days past the day to aim for, of all requests together",
        labels=["controller"],
    )
    for name, one in measured.items():
        for outcome, figure in OUTCOMES.items():
            requests.add_metric([name, outcome], getattr(one, figure))
        for bucket, figure in DAYS_LEFT.items():
            left.add_metric([name, bucket], getattr(one, figure))
        passed = (one.open_late, one.past_promise, one.past_statutory)
        for date, number in zip(DATES, passed, strict=True):
            past.add_metric([name, date], number)
        for date in DATES:
            share = getattr(one, date)
            answers.add_metric([name, date, "true"], share.kept)
            answers.add_metric([name, date, "false"], share.missed)
        risk.add_metric([name], one.risk_days)
    yield from (requests, left, past, answers, risk)


def _waiting(found: dict[str, Needs], now: datetime) -> Iterator[Metric]:
    messages = GaugeMetricFamily(
        "trettio_inbox_messages", "Messages that nobody has confirmed", labels=["controller"]
    )
    oldest = GaugeMetricFamily(
        "trettio_inbox_oldest_seconds", "How long the oldest of them waits", labels=["controller"]
    )
    waiting = GaugeMetricFamily(
        "trettio_waiting", "What waits for somebody in particular", labels=["controller", "what"]
    )
    breach = GaugeMetricFamily(
        "trettio_breach_seconds_left",
        "Until the first 72 hours end in which the authority is told; less than none: they ended",
        labels=["controller"],
    )
    for name, one in found.items():
        messages.add_metric([name], one.messages)
        since = one.oldest_message_at
        oldest.add_metric([name], max(0.0, (now - since).total_seconds()) if since else 0.0)
        for what, figure in WAITS.items():
            waiting.add_metric([name, what], getattr(one, figure))
        if one.next_breach_by is not None:
            breach.add_metric([name], (one.next_breach_by - now).total_seconds())
    yield from (messages, oldest, waiting, breach)
