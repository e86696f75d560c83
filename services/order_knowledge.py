"""Order knowledge: whoever knows an order's number, and its amount or day, has shown it is theirs.

A machine compares what the person says with what the systems hold (B.2.8). Nobody is shown either,
nor told whether there is such an order; what the person said is dropped once it was compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from domain.case import Case
from domain.errors import DomainError, NotAllowedNow
from domain.ladder import MOST_ORDERS_TRIED
from domain.vocabulary import Compartment, Delivery, IdentifierKind, IdentityMethod
from services.controllers import Controllers
from services.identity import Identity
from services.matching import normal
from services.ports import (
    AwaitsPerson,
    Clock,
    Erased,
    Identifier,
    Person,
    Record,
    Refused,
    Systems,
    Task,
    Tasks,
    Vault,
)
from services.register import Register, again_on_conflict

COMPARE = "compare-order"


@dataclass(frozen=True, slots=True)
class SaidOfOrder:
    """What somebody says of an order; at least one of amount and day beside its number."""

    number: str
    amount: Decimal | None = None
    day: date | None = None


SAID = TypeAdapter(SaidOfOrder)


class OrderKnowledge:
    """Takes down what the person says, and has it compared."""

    def __init__(
        self,
        register: Register,
        vault: Vault,
        tasks: Tasks,
        controllers: Controllers,
        identity: Identity,
        clock: Clock,
    ) -> None:
        self._register, self._vault, self._tasks = register, vault, tasks
        self._controllers, self._identity, self._clock = controllers, identity, clock

    @again_on_conflict
    def say(self, case_id: UUID, said: SaidOfOrder) -> None:
        """Seal what the person says of an order; a worker compares it."""
        if not said.number.strip() or (said.amount is None and said.day is None):
            raise DomainError("give the order's number, and its amount or the day it was bought")
        now = self._clock()
        case = self._register.case(case_id)
        if case.orders_tried >= MOST_ORDERS_TRIED:
            raise NotAllowedNow("too many orders were named: let a person verify identity")
        if not self._identity.waits(case):
            return
        sealed = self._vault.seal(case_id, Compartment.UPLOAD, SAID.dump_json(said))
        case.say_order(answers=sealed.ref, at=now)
        task = Task(
            key=f"{COMPARE}/{sealed.ref}",
            kind=COMPARE,
            subject_id=case_id,
            due_at=now,
            controller=case.controller,
        )
        self._register.save_all([case], [*sealed.also, self._tasks.add(task)])

    def compare(self, task: Task, systems: Systems) -> None:
        """Look for the order in every system that can be asked; then forget what was said."""
        case = self._register.case(task.subject_id)
        if case.order_said is None or not self._identity.waits(case):
            self._forget(task)
            return
        try:
            said = SAID.validate_json(self._vault.open(case.order_said))
        except Erased:
            self._forget(task)
            return
        zone = ZoneInfo(self._controllers.in_force(case.controller).country.zone)
        known = any(agrees(record, said, zone) for record in self._orders(case, said, systems))
        if known:
            proven = Identifier(IdentifierKind.ORDER_NUMBER, said.number.strip(), verified=True)
            self._identity.knows_order(case.id, proven)
        else:
            self._identity.proof_failed(
                case.id, IdentityMethod.ORDER_KNOWLEDGE, reason="order-not-known"
            )
        self._forget(task)

    def _orders(self, case: Case, said: SaidOfOrder, systems: Systems) -> Iterator[Record]:
        person = Person((Identifier(IdentifierKind.ORDER_NUMBER, said.number.strip()),))
        for system in self._controllers.in_force(case.controller).systems:
            if system.delivery not in {Delivery.CONNECTOR, Delivery.FILE}:
                continue
            try:
                yield from systems.connector(case.controller, system.id).find(person)
            except (AwaitsPerson, Refused):  # this one cannot be asked; another may hold the order
                continue

    @again_on_conflict
    def _forget(self, task: Task) -> None:
        case = self._register.case(task.subject_id)
        also = [self._tasks.done(task)]
        if case.order_said is not None and task.key.endswith(str(case.order_said)):
            also.append(self._vault.forget(case.order_said))
            case.forget_order(at=self._clock())
        self._register.save_all([case], also)


def agrees(record: Record, said: SaidOfOrder, zone: ZoneInfo) -> bool:
    """Whether one record has the number and everything else that was said of it."""
    number = normal(IdentifierKind.ORDER_NUMBER, said.number)
    if said.amount is None and said.day is None:
        return False
    values = [record.key, *_values(record.fields)]
    if not any(normal(IdentifierKind.ORDER_NUMBER, str(one)) == number for one in values):
        return False
    amount_fits = said.amount is None or any(_amount(one) == said.amount for one in values)
    return amount_fits and (said.day is None or any(said.day in _days(one, zone) for one in values))


def amount_in(text: str) -> Decimal | None:
    """An amount as people write it: 1 250,00 kr, 1250.00, NOK 1.250,00."""
    found = re.search(r"\d[\d \u00a0.,]*", text)
    if found is None:
        return None
    digits = re.sub(r"[ \u00a0]", "", found[0]).rstrip(".,")
    whole, _, cents = re.fullmatch(r"(.*?)(?:([.,])(\d{1,2}))?", digits).groups("")  # type: ignore[union-attr]
    return Decimal(f"{re.sub(r'[.,]', '', whole) or '0'}.{cents or '0'}")


def _amount(value: object) -> Decimal | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float | Decimal):
        return Decimal(str(value))
    text = str(value)
    return amount_in(text) if re.fullmatch(r"\D{0,5}\d[\d \u00a0.,]*\D{0,5}", text) else None


def _days(value: object, zone: ZoneInfo) -> set[date]:
    """The day that a value names, as it is written and as it was here."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return set()
    there = {moment.date()}
    return there | ({moment.astimezone(zone).date()} if moment.tzinfo else set())


def _values(value: object) -> Iterator[object]:
    match value:
        case Mapping():
            for inner in value.values():
                yield from _values(inner)
        case list() | tuple() | set() | frozenset():
            for inner in value:
                yield from _values(inner)
        case _:
            yield value
