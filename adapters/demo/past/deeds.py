"""How each right is decided and carried out, by whoever handles the request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from adapters.demo.past.living import Life
from domain.rectification import ClaimGround, Wish
from domain.request import Status
from domain.restriction import RestrictionGround
from domain.vocabulary import Outcome, Right
from services.objecting import Weighing
from services.rectifying import Said

SHOPS = frozenset({"ticketing", "shop"})
"""Where people are known by their names."""


def decide(life: Life, right: Right) -> None:
    _DECIDE.get(right, _by_itself)(life, right)


def _copy(life: Life, right: Right) -> None:
    life.approve(right)


def _erasure(life: Life, right: Right) -> None:
    if life.request(right).status is Status.VERIFIED:  # searched only after the copy was sent
        life.search_by_hand()
    life.approve(right)
    life.office(1)
    life.finish_by_hand(right)


def _rectification(life: Life, right: Right) -> None:
    request, trettio = life.request(right), life.trettio
    life.judge()
    records = trettio.deciding.records(life.request(right))
    for found in life.request(right).own_records:
        named = found.kind == "customer" and "name" in records[found.record_id].fields
        if named and found.system in SHOPS:
            said = Said(
                category="",
                field="name",
                ground=ClaimGround.WRONG,
                wish=Wish.RECTIFY,
                value=life.plan.person.name + "-Ny",
                record_id=found.record_id,
            )
            claim = trettio.rectifying.claim(request.id, said, by=life.by)
            life.office(0)
            trettio.rectifying.accept(request.id, claim, system=found.system, by=life.by)
            break
    life.office(0)
    life.office(0)
    _restricted_by_hand(life, right)
    trettio.rectifying.approve(request.id, by=life.by)
    life.until(life.now + timedelta(minutes=5))
    life.finish_by_hand(right)
    life.post_letters()
    life.office(16)
    _restricted_by_hand(life, right)


def _restriction(life: Life, right: Right) -> None:
    request = life.request(right)
    life.trettio.restrictions.restrict(request.id, ground=RestrictionGround.LEGAL_CLAIM, by=life.by)
    life.until(life.now + timedelta(minutes=5))
    _restricted_by_hand(life, right)
    life.until(life.now + timedelta(minutes=5))
    life.finish_by_hand(right)
    life.office(life.chance.randint(20, 40))
    life.trettio.restrictions.announce(request.id, by=life.by)
    life.post_letters()
    life.office(16)
    _restricted_by_hand(life, right)


def _objection(life: Life, right: Right) -> None:
    request = life.request(right)
    life.judge()
    _restricted_by_hand(life, right)
    balancing = life.trettio.register.balancing(request.id)
    life.trettio.objecting.strike(
        request.id,
        [Weighing(one, continues=False) for one in balancing.purposes],
        by=life.by,
    )
    life.until(life.now + timedelta(minutes=5))
    life.finish_by_hand(right)
    life.post_letters()
    life.office(16)
    _restricted_by_hand(life, right)


def _restricted_by_hand(life: Life, right: Right) -> None:
    """Mark, or unmark again, what no connector can."""
    request, restrictions = life.request(right), life.trettio.restrictions
    restriction = life.trettio.register.find_restriction(request.id)
    for system, state in (restriction.systems if restriction else {}).items():
        if not state.waits_for:
            continue
        if state.lifting:
            restrictions.record_lifted(request.id, system, by=life.by)
        else:
            restrictions.record(request.id, system, outcome=Outcome.RESTRICTED, by=life.by)


def _in_words(life: Life, right: Right) -> None:
    life.trettio.informing.answer(life.request(right).id, words=life.words["in-words"], by=life.by)
    life.until(life.now + timedelta(minutes=5))


def _by_itself(life: Life, right: Right) -> None:
    """It acts the same working day; what no connector can stop, a person stops."""
    if life.request(right).status is Status.COLLECTED:  # there is nothing that could be stopped
        life.approve(right)
    life.finish_by_hand(right)


_DECIDE: Mapping[Right, Callable[[Life, Right], None]] = {
    Right.ACCESS: _copy,
    Right.PORTABILITY: _copy,
    Right.ERASURE: _erasure,
    Right.RECTIFICATION: _rectification,
    Right.RESTRICTION: _restriction,
    Right.OBJECTION: _objection,
    Right.TRANSFER_SAFEGUARDS: _in_words,
}
