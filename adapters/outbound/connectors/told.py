"""Systems that are told, and answer once they have acted: by Kafka, webhook, OpenDSR or HTTPS.

Nothing is called from here: the worker gives an instruction instead, and what the system answers
comes back as a receipt (`services.instructing`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from adapters.outbound.connectors import Configuration, connector
from services.ports import AwaitsAnswer, Correction, Person, Record, Result, Treatment


@connector("kafka")
@connector("webhook")
@connector("opendsr")
@connector("https")
class Told:
    def __init__(self, configuration: Configuration) -> None:
        """Where it is told stands with its delivery: nothing is configured here."""

    def find(self, person: Person, *, fresh_after: datetime | None = None) -> Iterator[Record]:
        raise AwaitsAnswer

    def erase(self, person: Person, treatment: Treatment, *, key: str) -> Result:
        raise AwaitsAnswer

    def suppress(self, person: Person, *, key: str) -> Result:
        raise AwaitsAnswer

    def rectify(self, person: Person, correction: Correction, *, key: str) -> Result:
        raise AwaitsAnswer

    def restrict(self, person: Person, *, key: str) -> Result:
        raise AwaitsAnswer

    def is_restricted(self, person: Person) -> bool:
        raise AwaitsAnswer

    def unrestrict(self, person: Person, *, key: str) -> Result:
        raise AwaitsAnswer
