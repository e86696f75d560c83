"""Instructions to processors as OpenDSR 2.0 requests: found by access, erased by erasure.

OpenDSR erases all that a processor has of somebody. Where some of it must stay, where only part of
a record goes, or where a right has no place in the standard, a person is asked instead.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Lock
from typing import Literal

from adapters.contract.messages import MOST_RECORDS
from adapters.outbound.opendsr.messages import Discovery, Placed, identities, request_id, written
from adapters.outbound.opendsr.processor import Processor, shown
from adapters.outbound.webhooks.guard import AddressRefused, Guard
from domain.instruction import Instruction, Verb
from domain.vocabulary import Decision, IdentifierKind
from services.delivering import Try
from services.instructing import Instructions
from services.ports import Clock, Identifier, NotSetUp, Refused, Tasks, Unavailable
from services.processors import AskingProcessors, Finished, asking
from services.receipts_of_systems import FoundThere
from services.register import Register

ACCESS: Literal["access"] = "access"
ERASURE: Literal["erasure"] = "erasure"
KINDS: Mapping[Verb, Literal["access", "erasure"]] = {
    Verb.FIND: ACCESS,
    Verb.READ_BACK: ACCESS,
    Verb.ERASE: ERASURE,
}
NOT_IN_OPENDSR, NOT_OFFERED = "not-in-opendsr", "not-offered-by-processor"
SOME_MUST_STAY, NOTHING_PROVEN = "some-must-stay", "nothing-proven-to-ask-with"
CANCELLED, RESULTS_UNREADABLE = "cancelled-by-processor", "results-unreadable"


class OpenDsrProcessors:
    """Keeps `services.processors.Processors`."""

    def __init__(
        self, configuration: Callable[[str, str], Mapping[str, str]], guard: Guard, clock: Clock
    ) -> None:
        self._configuration, self._guard, self._clock = configuration, guard, clock
        self._made: dict[tuple[str, str], tuple[Mapping[str, str], Processor]] = {}
        self._lock = Lock()

    def of(self, controller: str, system: str) -> Processor:
        """A system's processor, made anew when its configuration is another."""
        options = dict(self._configuration(controller, system))
        with self._lock:
            known = self._made.get((controller, system))
            if known is None or known[0] != options:
                known = (options, Processor(options, self._guard, self._clock))
                self._made[controller, system] = known
            return known[1]

    def finished(self, instruction: Instruction) -> Finished | None:
        processor = self.of(instruction.controller, instruction.system)
        progress = processor.progress(request_id(instruction.id))
        if progress.request_status == "cancelled":
            return Finished(problem=CANCELLED)
        if progress.request_status != "completed":
            return None
        if instruction.verb is Verb.ERASE:
            return Finished()
        if progress.results_url is None:
            return (
                Finished() if progress.results_count == 0 else Finished(problem=RESULTS_UNREADABLE)
            )
        records = shown(processor.results(progress.results_url))
        if records is None or len(records) > MOST_RECORDS:
            return Finished(problem=RESULTS_UNREADABLE)
        return Finished(found=list(_found(records, processor.discover())))

    def cancel(self, instruction: Instruction) -> None:
        processor = self.of(instruction.controller, instruction.system)
        processor.cancel(request_id(instruction.id))


class OpenDsrCarrier:
    """Keeps `services.delivering.Carrier`."""

    def __init__(
        self,
        processors: OpenDsrProcessors,
        register: Register,
        tasks: Tasks,
        instructions: Instructions,
        asked: AskingProcessors,
        clock: Clock,
        *,
        address: str,
    ) -> None:
        self._processors, self._register, self._tasks = processors, register, tasks
        self._instructions, self._asked, self._clock = instructions, asked, clock
        self._address = address

    def carry(self, instruction: Instruction) -> Try:
        began = time.monotonic()
        try:
            code = self._placed(instruction)
        except NotSetUp:
            return Try("no-address")
        except AddressRefused:
            return Try("address-refused", milliseconds=_since(began))
        except Unavailable as error:
            return Try("no-answer", milliseconds=_since(began), wish=error.retry_after)
        except Refused:
            return Try("refused", milliseconds=_since(began))
        if code is not None:
            self._asked.take(instruction, Finished(problem=code))
            return Try(code, delivered=True, milliseconds=_since(began))
        ask = self._tasks.add(asking(instruction, self._clock))
        return Try("delivered", delivered=True, milliseconds=_since(began), then=(ask,))

    def _placed(self, instruction: Instruction) -> str | None:
        """Place the request; a code where it cannot be said in OpenDSR."""
        kind = KINDS.get(instruction.verb)
        if kind is None:
            return NOT_IN_OPENDSR
        if kind == ERASURE and self._some_stays(instruction):
            return SOME_MUST_STAY
        processor = self._processors.of(instruction.controller, instruction.system)
        discovery = processor.discover()
        if kind not in discovery.supported_subject_request_types:
            return NOT_OFFERED
        told = list(identities(self._known(instruction), discovery.supported_identities))
        if not told:
            return NOTHING_PROVEN
        callbacks = []
        if self._address.startswith("https://"):
            callbacks = [f"{self._address}/v1/opendsr/callbacks/{instruction.id}"]
        processor.place(
            Placed(
                subject_request_id=request_id(instruction.id),
                subject_request_type=kind,
                submitted_time=written(instruction.given_at),
                subject_identities=told,
                status_callback_urls=callbacks,
            )
        )
        return None

    def _known(self, instruction: Instruction) -> Sequence[Identifier]:
        """Whom it is about: recorded as fetched by the processor, which it is told to."""
        claim = self._instructions.claim(
            instruction.id,
            by="opendsr",
            controller=instruction.controller,
            system=instruction.system,
        )
        return claim.person.identifiers

    def _some_stays(self, instruction: Instruction) -> bool:
        if instruction.request_id is None:
            return False
        fulfilment = self._register.fulfilment(instruction.request_id)
        decisions = fulfilment.systems[instruction.system].decisions
        return any(one.decision is not Decision.ERASE for one in decisions)


def _found(records: Sequence[Mapping[str, object]], discovery: Discovery) -> Iterator[FoundThere]:
    by_address = any(one.identity_type == "email" for one in discovery.supported_identities)
    for record in records:
        kind, name = record.get("kind"), record.get("id")
        text = json.dumps(record, sort_keys=True)
        yield FoundThere(
            key=str(name) if name else hashlib.sha256(text.encode()).hexdigest(),
            kind=kind if isinstance(kind, str) and kind else "record",
            matched_by=IdentifierKind.EMAIL if by_address else IdentifierKind.CUSTOMER_NUMBER,
            fields={key: value for key, value in record.items() if key != "kind"},
        )


def _since(began: float) -> int:
    return int((time.monotonic() - began) * 1000)
