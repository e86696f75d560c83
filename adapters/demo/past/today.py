"""What is left for today: each of these stories stops where somebody has to go on."""

from __future__ import annotations

from adapters.demo.past.living import Life
from adapters.demo.past.stories import begin, identify
from domain.vocabulary import RefusalGround

NOT_YET = 400
"""Days until the next step: more than there are until the present."""


def unproven(life: Life) -> None:
    """The code was sent, and nobody has entered it yet."""
    life.arrive()
    life.confirm()
    life.office(0)
    life.ask_who()
    life.office(NOT_YET)


def unsearched(life: Life) -> None:
    """The connectors have answered, people have not looked yet."""
    life.arrive()
    life.confirm()
    identify(life)
    life.office(NOT_YET)


def unjudged(life: Life) -> None:
    """A match waits for somebody to say whose it is, or all of it for an approval."""
    begin(life)
    life.office(NOT_YET)


def unanswered(life: Life) -> None:
    """The person was asked what is meant, and has not said."""
    life.arrive()
    life.confirm()
    identify(life)
    life.office(1)
    life.trettio.questions.ask_scope(life.requests[0].id, words=life.words["question"], by=life.by)
    life.office(NOT_YET)


def failing(life: Life) -> None:
    """A system fails to this day: a person has to see to it."""
    shop = life.world.ticketing if life.plan.country.value == "NO" else life.world.shop
    life.arrive()
    life.confirm()
    shop.fail_next(403, 500)
    identify(life)
    life.office(NOT_YET)


def proposed(life: Life) -> None:
    """One person finds it unfounded; a second has to decide."""
    begin(life)
    life.trettio.refusing.propose(
        life.requests[0].id,
        ground=RefusalGround.UNFOUNDED,
        words=life.words["unfounded"],
        proof=life.words["tried"],
        by=life.by,
    )
    life.office(NOT_YET)
