"""No more marketing, and consent taken back purpose by purpose (Art. 7(3), 21(3); OK-07)."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from domain.balancing import consent_only, is_inferred
from domain.case import Case
from domain.errors import DomainError
from domain.fulfilment import Fulfilment
from domain.policy import LegalBasis
from domain.request import Status
from domain.vocabulary import Channel, IdentifierKind, LetterKind, Outcome, Right
from services.intake import Asked
from services.ports import Identifier, Result
from tests.support.asking import BY, asked, confirmed, hurry, plan, trouble
from tests.support.house import KARI, NORWAY, ORGANISATIONS, House
from tests.support.kills import Killed, kill_once
from tests.support.stage import decide

ON_AN_INTEREST = 'bases = ["legitimate-interest"]\nmarketing = true'


def on_consent(house: House) -> None:
    """The invented house of culture, its newsletter resting on consent alone."""
    document = (ORGANISATIONS / f"{NORWAY}.toml").read_text(encoding="utf-8")
    assert ON_AN_INTEREST in document
    changed = document.replace(ON_AN_INTEREST, 'bases = ["consent"]\nmarketing = true')
    controllers = house.installation.controllers
    controllers.adopt(changed.encode(), name=NORWAY, by=BY)
    decide(house.installation, NORWAY)


def withdrawn(house: House, *purposes: str) -> Case:
    return house.installation.intake.take(
        uuid4(),
        NORWAY,
        Asked(
            rights=(Right.WITHDRAWAL,),
            identifiers=(Identifier(IdentifierKind.EMAIL, KARI),),
            channel=Channel.API,
            purposes=purposes,
        ),
        by=BY,
    )


def test_only_what_consent_alone_carries_goes_and_it_is_read_back(house: House) -> None:
    """OK-07, AO-17: the newsletter's record is erased, the order's stays under its contract."""
    on_consent(house)
    mailing = trouble(house, "mailing")
    mailing.hold(KARI, "member", "m1")
    house.systems.system(NORWAY, "ticketing").hold(KARI, "order", "o1")

    case = withdrawn(house)
    house.worker.drain()

    assert mailing.held == []
    assert mailing.asked == ["suppress", "find", "erase m1", "read-back"]
    assert len(house.systems.system(NORWAY, "ticketing").held) == 1
    assert asked(house, case.id, Right.WITHDRAWAL).status is Status.CLOSED


def test_who_is_killed_between_erasing_and_saving_erases_once_and_it_is_said(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OK-07, Art. 5(2): the next try finds nothing any more, and that is no «not found»."""
    on_consent(house)
    mailing = trouble(house, "mailing")
    mailing.hold(KARI, "member", "m1")
    kill_once(monkeypatch, "record_done", house.installation.fulfilments)

    case = withdrawn(house)
    with pytest.raises(Killed):
        house.worker.drain()
    monkeypatch.setattr(mailing, "suppress", lambda person, key: Result(Outcome.NOT_FOUND))
    hurry(house)

    assert mailing.asked.count("erase m1") == 1
    recorded = house.installation.register.events.get(plan(house, case.id, Right.WITHDRAWAL).id)
    answers = [one for one in recorded if isinstance(one, Fulfilment.Answered)]
    assert [(one.system, one.outcome) for one in answers] == [("mailing", Outcome.ERASED)]
    assert asked(house, case.id, Right.WITHDRAWAL).status is Status.CLOSED


def test_what_rests_on_more_than_consent_is_only_stopped(house: House) -> None:
    """GK-16: a newsletter on an interest is left the way it was entered; its record stays."""
    mailing = trouble(house, "mailing")
    mailing.hold(KARI, "member", "m1")

    withdrawn(house)
    house.worker.drain()

    assert mailing.asked == ["suppress"]
    assert len(mailing.held) == 1


def test_a_withdrawal_counts_from_its_receipt_and_names_its_purposes(house: House) -> None:
    """AO-14, AK-08: effective at receipt, per purpose; an unknown one is said to be."""
    with pytest.raises(DomainError, match="consent carries: marketing"):
        withdrawn(house, "nothing-known")

    request = asked(house, withdrawn(house, "marketing").id, Right.WITHDRAWAL)

    withdrawal = house.installation.register.find_withdrawal(request.id)
    assert withdrawal is not None
    assert withdrawal.purposes == ("marketing",)
    assert withdrawal.effective_at == request.received_at


def test_the_letter_says_what_it_covers_and_what_still_comes(house: House) -> None:
    """GK-19, OK-09: partners' offers stop too; messages about tickets still come."""
    confirmed(house, Right.OBJECTION_TO_MARKETING)

    letter = next(m for m in house.mails() if m.kind is LetterKind.ANSWER)
    text = " ".join(letter.text.split())
    assert "partnere" in text
    assert "billetter du har" in text


def test_what_a_contract_carries_too_is_not_consents_alone(house: House) -> None:
    """GK-15: inferences made for marketing are told from what a visit leaves behind."""
    profile = house.installation.controllers.in_force(NORWAY)
    category = profile.category("newsletter")
    assert not consent_only(profile, category, ["marketing"]), "its basis here is an interest"
    consented = replace(
        profile,
        purposes=tuple(
            replace(p, bases=(LegalBasis.CONSENT,)) if p.marketing else p for p in profile.purposes
        ),
    )
    assert consent_only(consented, category, ["marketing"])
    assert not consent_only(consented, category, [])
    assert is_inferred(profile, profile.category("profiling"))
    assert not is_inferred(profile, profile.category("usage"))
