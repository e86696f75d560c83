"""Takes one receipt: its effect and its place in the topic are saved together, or neither is.

So a receipt counts once, whoever reads it how often: delivered again it lies before the place that
is known already, and is passed by. What makes no sense is refused, and a person sees that, without
its contents; what cannot be taken now is not passed by.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import psycopg
import structlog
from eventsourcing.persistence import OperationalError
from pydantic import ValidationError

from adapters.contract.messages import ReceiptMessage
from adapters.contract.translate import receipt_of
from adapters.inbound.kafka.positions import MOVED_BY_ANOTHER, Reason, ReceiptPositions
from adapters.outbound.database import Database, Statement
from adapters.outbound.recorder import ConstraintViolated
from domain.errors import DomainError
from domain.instruction import Via
from services.instructing import Instructions, NotTheirs
from services.ports import Erased, Unavailable, VaultLocked
from services.register import Register, SomebodyWasFaster, UnknownHere

MOST_TRIES = 5
"""So often a receipt may fail for no reason we know before it is refused, and the next one read."""

log = structlog.get_logger()


class TryLater(Exception):
    """It could not be taken now; nothing has happened, and it must be read again."""


class MovedByAnother(Exception):
    """Another reader has this partition by now."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message lies, where the last one before it ended, and where its partition ends."""

    partition: int
    offset: int
    after: int
    end: int = 0


class Taking:
    """The receipts of one topic, one after the other."""

    def __init__(
        self,
        database: Database,
        register: Register,
        instructions: Instructions,
        positions: ReceiptPositions,
    ) -> None:
        self._database, self._register = database, register
        self._instructions, self._positions = instructions, positions
        self._failed: tuple[Place, int] | None = None

    def take(self, place: Place, value: bytes | None) -> None:
        """Have its effect, or refuse it. Raises `TryLater` or `MovedByAnother`."""
        try:
            self._take(place, value)
        except (psycopg.OperationalError, psycopg.InterfaceError, OperationalError) as error:
            raise TryLater("the database is away") from error
        except (SomebodyWasFaster, VaultLocked, Unavailable) as error:
            raise TryLater(type(error).__name__) from error
        except ConstraintViolated as error:
            if error.constraint == MOVED_BY_ANOTHER:
                raise MovedByAnother from error
            self._fail(place, error)
        except psycopg.errors.CheckViolation as error:
            if error.diag.constraint_name == MOVED_BY_ANOTHER:
                raise MovedByAnother from error
            self._fail(place, error)
        except (TryLater, MovedByAnother):
            raise
        except Exception as error:  # whatever a system sends, the others must not wait for ever
            self._fail(place, error)

    def _take(self, place: Place, value: bytes | None) -> None:
        moved = self._moved(place)
        try:
            message = ReceiptMessage.model_validate_json(value or b"")
        except ValidationError:
            self._refuse(place, Reason.MALFORMED)
            return
        data = message.data
        receipt = receipt_of(data, data.instruction)
        with self._register.joining(lambda: [moved]) as joining:
            reason: Reason | None = None
            try:
                taken = self._instructions.answer(
                    receipt, controller=data.controller, system=data.system, via=Via.KAFKA
                )
            except SomebodyWasFaster:
                raise
            except NotTheirs:
                reason = Reason.FOREIGN
            except UnknownHere:
                reason = Reason.UNKNOWN
            except (DomainError, Erased):
                reason = Reason.SENSELESS
        if joining.saved:
            return
        if reason is not None:
            self._refuse(place, reason, data.instruction)
            return
        log.info("receipt_without_effect", taken=taken.value, instruction=str(data.instruction))
        self._database.run(moved)

    def _moved(self, place: Place) -> Statement:
        return self._positions.moved(
            place.partition, after=place.after, to=place.offset + 1, end=place.end
        )

    def _refuse(self, place: Place, reason: Reason, instruction: UUID | None = None) -> None:
        whose = self._whose(instruction)
        log.warning(
            "receipt_refused",
            reason=reason.value,
            partition=place.partition,
            offset=place.offset,
            instruction=str(instruction) if whose else None,
        )
        self._database.run(
            self._moved(place),
            self._positions.refused(
                place.partition,
                place.offset,
                reason,
                instruction=instruction if whose else None,
                whose=whose,
            ),
        )

    def _whose(self, instruction: UUID | None) -> tuple[str, str] | None:
        """Whose instruction it names; what a receipt says of that is only what it says."""
        if instruction is None:
            return None
        known = self._register.find_instruction(instruction)
        return (known.controller, known.system) if known else None

    def _fail(self, place: Place, error: Exception) -> None:
        tries = self._failed[1] + 1 if self._failed and self._failed[0] == place else 1
        self._failed = place, tries
        log.exception("receipt_stumbled", partition=place.partition, offset=place.offset)
        if tries < MOST_TRIES:
            raise TryLater(type(error).__name__) from error
        self._failed = None
        self._refuse(place, Reason.FAILED)
