"""`/desk/admin/systems`: which systems there are, how they answer, and a try with nobody's data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Response

from adapters.inbound.web.pages import NotHere, PageRoute, page
from adapters.inbound.web.session import Desk, Operates
from adapters.outbound.tasks import FailingSystem
from adapters.outbound.trial import Trial
from adapters.outbound.webhooks.admission import CALLED
from adapters.outbound.webhooks.ledger import Gone
from domain.instruction import Contract
from domain.policy import System

router = APIRouter(prefix="/desk/admin/systems", route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class SystemView:
    """One connected system; `failing` where it does not answer, `trial` where it was just tried.

    `gone` where its address wants no more calls.
    """

    system: System
    failing: FailingSystem | None
    gone: Gone | None
    trial: Trial | None

    @property
    def is_called(self) -> bool:
        """Whether there are deliveries to look at."""
        return self.system.connector in CALLED


@dataclass(frozen=True, slots=True)
class ControllerView:
    id: str
    name: str
    systems: Sequence[SystemView]


@router.get("")
def show(desk: Operates) -> Response:
    return _page(desk)


@router.post("/{controller}/{system}/try")
def attempt(desk: Operates, controller: str, system: str) -> Response:
    """Ask the system for a person who does not exist; nothing is changed anywhere."""
    desk.require(controller)
    if system not in {one.id for one in desk.profile(controller).systems}:
        raise NotHere
    trial = desk.installation.trials.attempt(controller, system)
    return _page(desk, tried=(controller, system), trial=trial)


def _earlier(desk: Desk, controller: str, system: System) -> Trial | None:
    """What came of the last try of a system that is told: its answer comes by itself."""
    if system.connector not in {one.value for one in Contract}:
        return None
    return desk.installation.trials.state(controller, system.id)


def _page(
    desk: Desk, *, tried: tuple[str, str] | None = None, trial: Trial | None = None
) -> Response:
    failing = {(one.controller, one.system): one for one in desk.installation.tasks.failing()}
    gone = {
        (one.controller, one.system): one for one in desk.installation.calling.deliveries.gone()
    }
    profiles = [desk.profile(name) for name in desk.controllers]
    return page(
        "admin_systems.html",
        desk.look(),
        desk=desk,
        controllers=[
            ControllerView(
                id=profile.id,
                name=profile.controller.name,
                systems=[
                    SystemView(
                        one,
                        failing.get((profile.id, one.id)),
                        gone.get((profile.id, one.id)),
                        trial if tried == (profile.id, one.id) else _earlier(desk, profile.id, one),
                    )
                    for one in profile.systems
                ],
            )
            for profile in profiles
        ],
        tried=tried,
    )
