"""The stories that lives of the past follow; each reads as it happened, step by step.

A story that comes to the present stops there, in the middle of whatever it was doing: what is left
is work for whoever looks at it today.
"""

from __future__ import annotations

from datetime import timedelta

from adapters.demo.past.deeds import decide
from adapters.demo.past.living import Life
from adapters.demo.past.staff import DECIDER, OFFICER
from domain.representation import AnswerTo, AuthorityEvidence, RepresentationKind
from domain.request import Status
from domain.vocabulary import (
    ConsultedAbout,
    ExtensionReason,
    IdentifierKind,
    LetterKind,
    RefusalGround,
    Right,
    TriageKind,
    Unidentified,
)
from services.ports import Identifier

# As it should be


def plain(life: Life, *, fetches: bool = True) -> None:
    """Asked, proven, searched, decided, answered, fetched."""
    begin(life)
    _decide(life, fetches=fetches)


def begin(life: Life) -> None:
    """From the arrival until every system has answered."""
    life.arrive()
    life.confirm()
    identify(life)
    life.office(1)
    life.search_by_hand()


def identify(life: Life, *, wrong_first: bool = False) -> None:
    if any(one.status is Status.RECEIVED for one in life.requests):
        life.office(0)
        life.ask_who()
        life.prove(wrong_first=wrong_first)


def _decide(life: Life, *, fetches: bool = True) -> None:
    """Each right in its turn: an erasure waits for the copy."""
    life.answer_day()
    for right in life.plan.rights:
        decide(life, right)
        life.post_letters()
        if right.gives_a_copy and fetches:
            life.later(hours=life.chance.randint(2, 60))
            life.fetch()
            life.office(1)
            life.search_by_hand()


# What happens on the way


def paused(life: Life) -> None:
    """Nobody could tell what was meant; the person says it some days later."""
    life.arrive()
    life.confirm()
    identify(life)
    life.office(1)
    life.trettio.questions.ask_scope(life.requests[0].id, words=life.words["question"], by=life.by)
    life.later(days=life.chance.randint(2, 9))
    asked = life.letter(LetterKind.CLARIFICATION)
    life.write(life.words["clarified"], answers=asked)
    life.office(1)
    life.search_by_hand()
    _decide(life)


def silent(life: Life) -> None:
    """Proof was asked for and never came; a last letter says so."""
    life.arrive()
    life.confirm()
    life.office(0)
    life.ask_who()
    life.office(26)
    for request in life.requests:
        life.trettio.refusing.refuse(
            request.id,
            ground=RefusalGround.CANNOT_IDENTIFY,
            words=life.words["no-proof"],
            proof=life.words["tried"],
            shown=Unidentified.SILENT,
            by=life.by,
        )
    life.later(minutes=5)


def extended(life: Life) -> None:
    """Two more months, told within the first; then answered."""
    begin(life)
    life.office(8)
    for request in life.requests:
        life.trettio.extending.decide(
            request.id,
            reasons=(ExtensionReason.VOLUME, ExtensionReason.MANY_REQUESTERS),
            words="",
            by=life.by,
        )
    life.post_letters()
    life.later(minutes=5)
    _decide(life)


def outage(life: Life) -> None:
    """A system answers nothing for a while; it is asked again until it does."""
    systems = life.world.ticketing, life.world.payment, life.world.shop, life.world.card_payment
    broken = systems[life.plan.number % 2 + (2 if life.plan.country.value == "SE" else 0)]
    life.arrive()
    life.confirm()
    broken.fail_next(503, 14)
    try:
        identify(life)
        life.office(1)
    finally:
        broken.heal()
    life.search_by_hand()
    life.office(1)
    _decide(life)


def bounced(life: Life) -> None:
    """The answer comes back undelivered; it is sent by post instead."""
    begin(life)
    _decide(life, fetches=False)
    sent = life.letter(LetterKind.ANSWER) or life.letter(LetterKind.PARTIAL_REFUSAL)
    if sent is None:
        return
    life.later(minutes=3)
    life.bounce(sent)
    life.office(2)
    for request in life.requests:
        if request.delivery_failed is not None:
            life.trettio.answering.answer_again(request.id, by=life.by, by_post=True)
    life.later(minutes=2)
    life.office(0)
    life.post_letters()


def unopened(life: Life) -> None:
    """The link waits for a week, the case comes back, and the answer goes once more."""
    begin(life)
    _decide(life, fetches=False)
    life.office(8)
    for request in life.requests:
        if request.delivery_failed is not None:
            life.trettio.answering.answer_again(request.id, by=life.by)
    life.later(hours=20)
    life.fetch()


def withdrawn(life: Life) -> None:
    life.arrive()
    life.confirm()
    identify(life)
    life.office(3)
    for request in life.requests:
        life.trettio.refusing.withdraw(request.id, by=life.by)


def reclassified(life: Life) -> None:
    """It was read as the wrong right; the receipt stays where it was."""
    life.arrive()
    wrong = Right.ERASURE if life.plan.rights[0] is Right.ACCESS else Right.ACCESS
    life.confirm((wrong,))
    life.office(1)
    life.trettio.correcting.correct_right(
        life.request(wrong).id, right=life.plan.rights[0], by=life.by
    )
    identify(life)
    life.office(1)
    life.search_by_hand()
    _decide(life)


def mistyped(life: Life) -> None:
    """A wrong code first."""
    life.arrive()
    life.confirm()
    identify(life, wrong_first=True)
    life.office(1)
    life.search_by_hand()
    _decide(life)


# No


def refused(life: Life) -> None:
    """What is asked for must stay, and a law says so; the officer was asked first."""
    begin(life)
    life.office(2)
    request = life.requests[0]
    question = life.trettio.consulting.ask(
        request.id, about=ConsultedAbout.REFUSAL, words=life.words["may-we"], by=life.by
    )
    life.office(2)
    life.trettio.consulting.advise(request.id, question, words=life.words["you-may"], by=OFFICER)
    life.office(1)
    life.trettio.consulting.weigh(request.id, question, followed=True, by=life.by)
    reason = next(
        one
        for one in life.trettio.refusing.reasons(request)
        if one.ground in {RefusalGround.NATIONAL_EXCEPTION, RefusalGround.NOT_ENTITLED}
    )
    life.trettio.refusing.refuse(
        request.id,
        ground=reason.ground,
        law=reason.code,
        words=life.words["claim-goes-on"],
        by=life.by,
    )
    life.later(minutes=5)


def excessive(life: Life, *, agrees: bool = True) -> None:
    """Called unfounded by one, and decided by a second."""
    begin(life)
    life.office(2)
    request = life.requests[0]
    life.trettio.refusing.propose(
        request.id,
        ground=RefusalGround.UNFOUNDED,
        words=life.words["unfounded"],
        proof=life.words["tried"],
        by=life.by,
    )
    life.office(1)
    if agrees:
        life.trettio.refusing.confirm(request.id, by=DECIDER)
        life.later(minutes=5)
        return
    life.trettio.refusing.decline(request.id, words=life.words["founded"], by=DECIDER)
    _decide(life)


# Others


def represented(life: Life) -> None:
    """Somebody asks for somebody else, with a power of attorney."""
    life.arrive()
    life.confirm()
    life.office(0)
    name, representing = f"Vera {life.plan.person.name.split()[-1]}", life.trettio.representing
    representing.claim(
        life.case.id,
        kind=RepresentationKind.AGENT,
        identifiers=(
            Identifier(IdentifierKind.NAME, name),
            Identifier(IdentifierKind.EMAIL, f"vera.{life.plan.number}@epost.example"),
        ),
        by=life.by,
    )
    life.ask_who()
    life.prove()
    life.office(2)
    representing.see_evidence(
        life.case.id, evidence=AuthorityEvidence.POWER_OF_ATTORNEY, receives=True, by=life.by
    )
    representing.accept(life.case.id, answer_to=AnswerTo.REPRESENTATIVE, by=life.by)
    life.office(1)
    life.search_by_hand()
    _decide(life)


def claimed(life: Life) -> None:
    """A dispute about a payment: what it needs is kept, the rest is erased."""
    begin(life)
    life.answer_day()
    life.judge()
    request = life.request(Right.ERASURE)
    orders = [one.record_id for one in request.own_records if one.kind == "order"]
    if orders:
        life.trettio.holds.claim(
            request.id,
            orders[:1],
            reason=life.words["claim"],
            owner=DECIDER,
            review_on=life.today + timedelta(days=270),
            by=life.by,
        )
    life.approve(Right.ERASURE)
    life.office(1)
    life.finish_by_hand(Right.ERASURE)


def no_request(life: Life) -> None:
    """Customer service in the wrong mailbox: passed on, and told so."""
    life.arrive("customer-service")
    life.office(0)
    life.trettio.passing_on.set_aside(life.case.id, kind=TriageKind.CUSTOMER_SERVICE, by=life.by)
    life.later(minutes=3)
