"""What is kept of a Swedish erasure, and days that come, for walks through holds."""

from __future__ import annotations

from datetime import date, datetime

from domain.hold import Hold
from domain.request import DataSubjectRequest, Status
from domain.vocabulary import Compartment, IdentifierKind, Outcome, Right
from services.ports import Erased, Identifier
from tests.support.asking import BY, Clock, asked, collected, hurry
from tests.support.fake_systems import FakeSystem
from tests.support.house import KARI, SWEDEN, House

BOOKED_ON = date(2026, 10, 1)
LAST_DAY = date(2033, 12, 31)
OTHERS = (Compartment.UPLOAD, Compartment.PACKAGE, Compartment.CORRESPONDENCE)


def invoice(house: House, key: str = "i1", booked_on: date = BOOKED_ON, **more: date) -> FakeSystem:
    """A voucher in the shop, and something of another person beside it."""
    shop = house.systems.system(SWEDEN, "shop")
    shop.hold(KARI, "invoice", key, anchors={"voucher": booked_on, **more})
    if len(shop.held) == 1:
        shop.hold("ivar@annan.example", "invoice", "another")
    return shop


def kept(house: House, *, tell: bool = False, also: Identifier | None = None) -> DataSubjectRequest:
    """A Swedish erasure that has been answered, with everything that waits for a person done."""
    known = [Identifier(IdentifierKind.EMAIL, KARI), *([also] if also else [])]
    case_id = collected(
        house,
        Right.ERASURE,
        controller=SWEDEN,
        text="Radera" if also else "Hei",
        identifiers=tuple(known),
    )
    request_id = asked(house, case_id, Right.ERASURE).id
    house.installation.deciding.approve(request_id, by=BY, considered=True, tell=tell)
    house.worker.drain()
    fulfilment = house.installation.register.fulfilment(request_id)
    for system, state in fulfilment.systems.items():
        if not state.status.has_answered:
            house.installation.byhand.done(
                request_id, system, outcome=Outcome.INFORMED, reason="", by=BY
            )
    house.worker.drain()
    request = house.installation.register.request(request_id)
    assert request.status is Status.CLOSED
    return request


def hold_of(house: House, request: DataSubjectRequest, ground: str = "se.bokforing") -> Hold:
    return next(
        hold
        for hold in house.installation.held.of_case(house.case(request.case_id))
        if hold.ground == ground
    )


def pass_to(house: House, clock: Clock, day: date) -> None:
    """Noon of that day in Sweden, with everything done that is done by then."""
    moment = datetime.combine(day, clock().time().replace(hour=11), tzinfo=clock().tzinfo)
    clock.shift += moment - clock()
    house.installation.follower().drain()
    house.installation.release_holds()
    hurry(house)
    hurry(house)
    house.installation.follower().drain()


def keys(system: FakeSystem) -> set[str]:
    return {record.key for _, record in system.held}


def is_gone(house: House, hold: Hold) -> bool:
    try:
        house.installation.vault.open(hold.keys)
    except Erased:
        return True
    return False
