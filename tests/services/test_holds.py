"""What is kept goes by itself on its day, by what the hold itself knows and nothing else."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID, uuid5

import pytest

from domain.errors import DomainError, NotAllowedNow
from domain.grounds import LEGAL_CLAIM
from domain.hold import Hold
from domain.request import DataSubjectRequest, Status
from domain.restriction import RestrictionGround
from domain.vocabulary import (
    Compartment,
    IdentifierKind,
    IdentityMethod,
    LetterKind,
    Match,
    Outcome,
    Right,
)
from projections import holds as on_hold
from services.ports import Identifier, Record, Result, Unavailable
from tests.support.asking import (
    BY,
    Clock,
    approve,
    asked,
    collected,
    confirmed,
    hurry,
    look_everywhere,
    trouble,
    verified,
)
from tests.support.holding import (
    BOOKED_ON,
    LAST_DAY,
    OTHERS,
    hold_of,
    invoice,
    is_gone,
    kept,
    keys,
    pass_to,
)
from tests.support.house import KARI, NORWAY, SWEDEN, House
from tests.support.kills import Killed, kill_once


def test_the_day_after_the_last_day_the_record_goes_although_all_else_is_gone(
    house: House, clock: Clock
) -> None:
    """AO-09, AK-16: kept through 2033-12-31; erased from the hold's own compartment, then ended."""
    shop = invoice(house)
    request = kept(house)
    hold = hold_of(house, request)
    assert hold.release_on == LAST_DAY
    for compartment in OTHERS:
        house.installation.vault.destroy(request.case_id, compartment)

    pass_to(house, clock, LAST_DAY)
    assert keys(shop) == {"i1", "another"}
    assert hold_of(house, request).stands
    assert not is_gone(house, hold)

    pass_to(house, clock, LAST_DAY + timedelta(days=1))
    hold = hold_of(house, request)
    assert keys(shop) == {"another"}
    assert [one.outcome for one in hold.outcomes] == [Outcome.ERASED]
    assert hold.released_on == date(2034, 1, 1)
    assert is_gone(house, hold)
    assert house.installation.register.request(request.id).ended
    assert house.installation.vault.destructions(request.case_id)[-1].items == 1


def test_closed_is_not_ended_while_something_is_kept(house: House, clock: Clock) -> None:
    invoice(house)
    request = kept(house)
    clock.forward(days=4 * 366)
    hurry(house)

    request = house.installation.register.request(request.id)
    assert request.destroyed == set(OTHERS)
    assert (request.status, request.ended) == (Status.CLOSED, False)


def test_vouchers_of_different_years_go_each_on_its_own_day(house: House, clock: Clock) -> None:
    """AK-16, AO-09, E-12, B.1 row 17: none is kept for as long as the youngest of them.

    One without a date waits for whoever knows it, and keeps neither of the others.
    """
    shop = invoice(house, "old", date(2025, 10, 1))
    invoice(house, "new", BOOKED_ON)
    shop.hold(KARI, "invoice", "undated")
    request = kept(house)
    first, last = date(2032, 12, 31), LAST_DAY
    case = house.case(request.case_id)
    holds = [h for h in house.installation.held.of_case(case) if h.ground == "se.bokforing"]
    assert {hold.release_on: len(hold.records) for hold in holds} == {first: 1, last: 1, None: 1}
    house.installation.follower().drain()
    rows = on_hold.of_case(house.installation.database, case.id)
    assert {row.release_on for row in rows if row.ground == "se.bokforing"} == {first, last, None}
    letter = house.mails()[-1].text
    assert "31. desember 2032" in letter
    assert "31. desember 2033" in letter

    pass_to(house, clock, first)
    assert keys(shop) == {"old", "new", "undated", "another"}
    pass_to(house, clock, first + timedelta(days=1))
    assert keys(shop) == {"new", "undated", "another"}
    pass_to(house, clock, last)
    assert keys(shop) == {"new", "undated", "another"}
    pass_to(house, clock, last + timedelta(days=1))
    assert keys(shop) == {"undated", "another"}
    assert not house.installation.register.request(request.id).ended

    (undated,) = (hold for hold in holds if hold.release_on is None)
    house.installation.holds.state_end(
        undated.id, until=clock().date(), reason="Bokförd samma år", by=BY
    )
    pass_to(house, clock, clock().date() + timedelta(days=1))
    assert keys(shop) == {"another"}
    assert house.installation.register.request(request.id).ended


def test_a_hold_from_before_days_were_told_apart_is_known_and_goes(
    house: House, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The day was no part of its id then; its case lists it, also when its content is gone."""

    def before(
        request_id: UUID, system: str, category: str, ground: str, release_on: date | None = None
    ) -> UUID:
        return uuid5(request_id, f"hold/{system}/{category}/{ground}")

    shop = invoice(house)
    with monkeypatch.context() as earlier:
        earlier.setattr(Hold, "create_id", staticmethod(before))
        request = kept(house)
    assert hold_of(house, request).release_on == LAST_DAY

    pass_to(house, clock, LAST_DAY + timedelta(days=1))

    assert hold_of(house, request).erased
    assert keys(shop) == {"another"}


def test_a_claim_of_an_earlier_case_is_carried_over_to_a_later_erasure(
    house: House, clock: Clock
) -> None:
    """AK-17: what is claimed stays with its reason and owner, whoever asks again meanwhile."""
    shop = invoice(house)
    first = asked_again(house)
    soon = clock().date() + timedelta(days=90)
    (claim,) = house.installation.holds.claim(
        first.id,
        [one.record_id for one in first.own_records],
        reason="Tvist",
        owner="berit",
        review_on=soon,
        by=BY,
    )
    house.installation.refusing.withdraw(first.id, by=BY)
    case_id = collected(house, Right.ERASURE, controller=SWEDEN, text="Radera till slut")
    later = asked(house, case_id, Right.ERASURE)

    approve_all(house, later.id)

    own = hold_of(house, later, LEGAL_CLAIM)
    assert (own.owner, own.review_on, own.release_on) == ("berit", soon, None)
    assert house.installation.holds.reason(own) == "Tvist"
    house.installation.holds.lift(claim, reason="Klart", by=BY)
    hurry(house)
    assert keys(shop) == {"i1", "another"}


def test_a_system_that_is_away_on_the_day_is_asked_until_it_answers(
    house: House, clock: Clock
) -> None:
    shop = trouble(house, "shop", controller=SWEDEN)
    shop.hold(KARI, "invoice", "i1", anchors={"voucher": BOOKED_ON})
    request = kept(house)
    shop.troubles = [Unavailable("503"), Unavailable("503"), Unavailable("503")]

    pass_to(house, clock, LAST_DAY + timedelta(days=1))
    assert keys(shop) == {"i1"}
    for _ in range(3):
        house.installation.database.fetch(
            "UPDATE trettio.lanes SET suspended_at = NULL, probe_at = NULL"
        )
        hurry(house)

    assert keys(shop) == set()
    assert hold_of(house, request).erased


def test_a_hold_released_twice_or_by_two_processes_erases_once(house: House, clock: Clock) -> None:
    shop = trouble(house, "shop", controller=SWEDEN)
    shop.hold(KARI, "invoice", "i1", anchors={"voucher": BOOKED_ON})
    request = kept(house)
    shop.asked.clear()

    for _ in range(2):
        pass_to(house, clock, LAST_DAY + timedelta(days=1))
    house.installation.holds._planned.clear()
    house.installation.release_holds()
    hurry(house)

    assert shop.asked.count("erase i1") == 1
    assert len(hold_of(house, request).outcomes) == 1


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("_record_erased", (Outcome.NOT_FOUND, "by-an-earlier-try")),
        ("_told_with", (Outcome.ERASED, "")),
    ],
)
def test_killed_while_releasing_it_erases_once_and_tells_in_one_letter(
    house: House,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    said: tuple[Outcome, str],
) -> None:
    """Art. 5(1)(e), E-15: after the erasure or after the letter left, before either was saved."""
    shop = trouble(house, "shop", controller=SWEDEN)
    shop.hold(KARI, "invoice", "i1", anchors={"voucher": BOOKED_ON})
    request = kept(house, tell=True, also=Identifier(IdentifierKind.ORDER_NUMBER, "A-4711"))
    shop.asked.clear()
    kill_once(monkeypatch, step, house.installation.holds)

    with pytest.raises(Killed):
        pass_to(house, clock, LAST_DAY + timedelta(days=1))
    for _ in range(2):
        hurry(house)

    assert shop.asked.count("erase i1") == 1
    hold = hold_of(house, request)
    assert [(one.outcome, one.detail) for one in hold.outcomes] == [said]
    assert hold.told
    letters = {mail.path for mail in house.mails() if mail.kind is LetterKind.HOLD_RELEASED}
    assert len(letters) == 1


def test_what_another_hold_names_stays_until_that_one_goes(house: House, clock: Clock) -> None:
    """Art. 17(3): each ground has its own day; a record goes with the last of them."""
    shop = invoice(house)
    first = kept(house)
    claimed = asked_again(house)
    (claim,) = house.installation.holds.claim(
        claimed.id,
        [one.record_id for one in claimed.own_records],
        reason="Tvist om faktura i1, tingsrätten",
        owner="berit",
        review_on=clock().date() + timedelta(days=90),
        by=BY,
    )
    approve_all(house, claimed.id)

    pass_to(house, clock, LAST_DAY + timedelta(days=1))
    assert keys(shop) == {"i1", "another"}
    (outcome,) = hold_of(house, first).outcomes
    assert (outcome.outcome, outcome.detail) == (Outcome.KEPT, "another-hold")

    house.installation.holds.lift(claim, reason="Tvisten är avgjord", by=BY)
    hurry(house)
    assert keys(shop) == {"another"}


def test_who_has_come_back_keeps_what_is_in_use_again(house: House, clock: Clock) -> None:
    """A record with a purchase newer than the hold is no longer held: it is used anew."""
    shop = invoice(house)
    request = kept(house)
    shop.held = [one for one in shop.held if one[1].key != "i1"]
    shop.hold(KARI, "invoice", "i1", anchors={"voucher": BOOKED_ON, "last_purchase": LAST_DAY})
    shop.hold(KARI, "invoice", "i2", anchors={"voucher": LAST_DAY})

    pass_to(house, clock, LAST_DAY + timedelta(days=1))

    assert keys(shop) == {"i1", "i2", "another"}
    (outcome,) = hold_of(house, request).outcomes
    assert (outcome.outcome, outcome.detail) == (Outcome.KEPT, "in-use-again")


def test_nothing_there_goes_to_a_person_who_looks_and_says_so(house: House, clock: Clock) -> None:
    """No rows where there was one never counts as done by itself."""
    shop = invoice(house)
    request = kept(house)
    shop.held.clear()
    pass_to(house, clock, LAST_DAY + timedelta(days=1))
    hold = hold_of(house, request)
    assert (hold.waits_for, hold.erased) == ("nothing-changed", False)
    assert [one.key for one in house.installation.holds.records(hold.id)] == ["i1"]

    with pytest.raises(DomainError, match="look again"):
        house.installation.holds.erased_by_hand(hold.id, looked_again=False, by=BY)
    house.installation.holds.erased_by_hand(hold.id, looked_again=True, by=BY)
    hurry(house)

    assert hold_of(house, request).erased
    assert house.installation.register.request(request.id).still_kept.isdisjoint({Compartment.HOLD})


def test_a_person_ends_a_hold_early_with_a_reason(house: House, clock: Clock) -> None:
    shop = invoice(house)
    request = kept(house)
    hold = hold_of(house, request)
    with pytest.raises(DomainError, match="say why"):
        house.installation.holds.lift(hold.id, reason=" ", by=BY)

    house.installation.holds.lift(hold.id, reason="Bokfört dubbelt, makulerad", by=BY)
    hurry(house)

    assert keys(shop) == {"another"}
    states = house.installation.database.fetch("SELECT state FROM trettio.log")
    assert all(b"makulerad" not in bytes(row["state"]) for row in states)


def test_a_hold_is_prolonged_only_by_a_law_and_then_stands_longer(
    house: House, clock: Clock
) -> None:
    shop = invoice(house)
    request = kept(house)
    hold, later = hold_of(house, request), LAST_DAY.replace(year=2035)
    with pytest.raises(DomainError, match="no ground"):
        house.installation.holds.prolong(
            hold.id, until=later, ground="useful_history", reason="x", by=BY
        )
    house.installation.holds.prolong(
        hold.id, until=later, ground="se.bokforing", reason="Förlängt räkenskapsår", by=BY
    )

    pass_to(house, clock, LAST_DAY + timedelta(days=1))
    assert keys(shop) == {"i1", "another"}
    pass_to(house, clock, later + timedelta(days=1))
    assert keys(shop) == {"another"}


def test_an_owner_says_when_an_open_obligation_ends(house: House, clock: Clock) -> None:
    """E-13: what has no day gets one from somebody who knows, and goes the day after."""
    shop = house.systems.system(SWEDEN, "shop")
    shop.hold(KARI, "order", "o1", flags=frozenset({"instalments"}))
    request = kept(house)
    hold = hold_of(house, request, "contract.open_obligation")
    assert hold.release_on is None
    until = clock().date() + timedelta(days=40)

    house.installation.holds.state_end(hold.id, until=until, reason="Sista avin", by=BY)
    pass_to(house, clock, until)
    assert keys(shop) == {"o1"}
    pass_to(house, clock, until + timedelta(days=1))

    assert keys(shop) == set()


def test_a_claim_needs_reason_owner_and_review_and_is_reviewed(house: House, clock: Clock) -> None:
    """AK-17: no blanket hold; its owner looks again on a day, and time alone never ends it."""
    invoice(house)
    case_id = collected(house, Right.ERASURE, controller=SWEDEN)
    request = asked(house, case_id, Right.ERASURE)
    records = [one.record_id for one in request.own_records]
    soon = clock().date() + timedelta(days=30)
    claim = house.installation.holds.claim
    for wrong in (
        {"reason": " "},
        {"owner": ""},
        {"owner": "trettio"},
        {"review_on": clock().date()},
    ):
        facts = {"reason": "Tvist", "owner": "berit", "review_on": soon, "by": BY}
        with pytest.raises(DomainError):
            claim(request.id, records, **{**facts, **wrong})  # type: ignore[arg-type]
    with pytest.raises(DomainError, match="no blanket"):
        claim(request.id, [], reason="Tvist", owner="berit", review_on=soon, by=BY)

    (hold_id,) = claim(request.id, records, reason="Tvist", owner="berit", review_on=soon, by=BY)
    (preview,) = house.installation.deciding.preview(request, clock().date())
    assert preview.verdict.ground == LEGAL_CLAIM or LEGAL_CLAIM in {
        part.ground for part in preview.verdict.kept
    }
    approve_all(house, request.id)
    house.installation.holds.review(
        hold_id, review_on=soon + timedelta(days=365), reason="Pågår", by="berit"
    )
    pass_to(house, clock, soon + timedelta(days=5 * 366))

    assert house.installation.register.hold(hold_id).stands


def test_a_claim_on_a_request_that_was_taken_back_erases_nothing(
    house: House, clock: Clock
) -> None:
    shop = invoice(house)
    case_id = collected(house, Right.ERASURE, controller=SWEDEN)
    request = asked(house, case_id, Right.ERASURE)
    (hold_id,) = house.installation.holds.claim(
        request.id,
        [one.record_id for one in request.own_records],
        reason="Tvist",
        owner="berit",
        review_on=clock().date() + timedelta(days=30),
        by=BY,
    )
    house.installation.refusing.withdraw(request.id, by=BY)

    house.installation.holds.lift(hold_id, reason="Förlikt", by=BY)
    hurry(house)

    assert keys(shop) == {"i1", "another"}
    assert house.installation.register.hold(hold_id).erased


def test_a_public_body_releases_nothing_before_the_archive_has_the_case(
    house: House, clock: Clock
) -> None:
    """E-05: in a public profile nothing is destroyed before `HandedToArchive`."""
    house.systems.system(NORWAY, "payment").hold(
        KARI, "payment", "p1", flags=frozenset({"paid"}), anchors={"voucher": BOOKED_ON}
    )
    case_id = collected(house, Right.ERASURE)
    approve(house, case_id, Right.ERASURE)
    request_id = asked(house, case_id, Right.ERASURE).id
    for system, state in house.installation.register.fulfilment(request_id).systems.items():
        if not state.status.has_answered:
            house.installation.byhand.done(
                request_id, system, outcome=Outcome.INFORMED, reason="", by=BY
            )
    house.worker.drain()
    request = asked(house, case_id, Right.ERASURE)
    last_day = hold_of(house, request, "no.bokforing.primary").release_on
    assert last_day == date(2031, 12, 31)

    pass_to(house, clock, last_day + timedelta(days=1))
    assert keys(house.systems.system(NORWAY, "payment")) == {"p1"}
    receipt = house.installation.vault.seal(case_id, Compartment.CORRESPONDENCE, b"26/17")
    request = asked(house, case_id, Right.ERASURE)
    request.hand_to_archive(receipt=receipt.ref, by=BY, at=clock())
    house.installation.register.save_all([request], receipt.also)
    for _ in range(3):
        hurry(house)

    assert keys(house.systems.system(NORWAY, "payment")) == set()
    assert asked(house, case_id, Right.ERASURE).ended


def test_only_who_asked_is_told_without_a_name_and_recognised_first(
    house: House, clock: Clock
) -> None:
    """E-15: a letter that a stranger may open: a reference, and a link with step-up."""
    invoice(house)
    with pytest.raises(DomainError, match="something else"):
        kept(house, tell=True)
    request = kept(house, tell=True, also=Identifier(IdentifierKind.ORDER_NUMBER, "A-4711"))
    letters = len(house.mails())
    pass_to(house, clock, LAST_DAY + timedelta(days=1))

    assert len(house.mails()) == letters + 1
    letter = house.mails()[-1]
    profile = house.installation.controllers.in_force(SWEDEN)
    names = (*profile.controller.names, profile.controller.trade_name, "Testesen", "stundbiljett")
    for name in filter(None, names):
        assert name.lower() not in f"{letter.text} {letter.html} {letter.sender}".lower()
    assert house.case(request.case_id).reference in letter.text
    link, visitor = house.link("kept"), house.visitor()
    shown = visitor.get(link).text
    assert not [name for name in names if name and name in shown]
    assert visitor.post(link, data={"said": "B-1"}).status_code == 422
    assert hold_of(house, request).wrong_answers == 1
    told = visitor.post(link, data={"said": "a4711"})
    assert (profile.controller.trade_name or profile.controller.name) in told.text
    assert not is_gone(house, hold_of(house, request))

    clock.forward(days=31)
    for _ in range(2):
        hurry(house)
    assert is_gone(house, hold_of(house, request))
    assert hold_of(house, request).told


def test_five_wrong_answers_end_the_link(house: House, clock: Clock) -> None:
    invoice(house)
    kept(house, tell=True, also=Identifier(IdentifierKind.ORDER_NUMBER, "A-4711"))
    pass_to(house, clock, LAST_DAY + timedelta(days=1))
    link, visitor = house.link("kept"), house.visitor()

    for _ in range(5):
        visitor.post(link, data={"said": "guess"})

    assert visitor.post(link, data={"said": "A-4711"}).status_code == 404
    assert visitor.get(link).status_code == 404


# Steps


def asked_again(house: House) -> DataSubjectRequest:
    """The same person asks once more, and the systems have been searched."""
    case_id = collected(house, Right.ERASURE, controller=SWEDEN, text="Radera igen")
    return asked(house, case_id, Right.ERASURE)


def approve_all(house: House, request_id: UUID) -> None:
    house.installation.deciding.approve(request_id, by=BY, considered=True)
    house.worker.drain()
    for system, state in house.installation.register.fulfilment(request_id).systems.items():
        if not state.status.has_answered:
            house.installation.byhand.done(
                request_id, system, outcome=Outcome.INFORMED, reason="", by=BY
            )
    house.worker.drain()


def test_a_hold_that_was_never_released_is_not_erased_by_hand(house: House) -> None:
    invoice(house)
    hold = hold_of(house, kept(house))

    with pytest.raises(NotAllowedNow):
        house.installation.holds.erased_by_hand(hold.id, looked_again=True, by=BY)


def test_what_a_person_keeps_by_hand_is_held_and_goes_by_hand(house: House, clock: Clock) -> None:
    """No machine reaches it: on the day somebody is asked, and says what they did."""
    case_id = verified(house, Right.ERASURE, controller=SWEDEN)
    request_id = asked(house, case_id, Right.ERASURE).id
    record = Record(
        "thread 7",
        "communication",
        Match.VERIFIED_IDENTIFIER,
        IdentifierKind.EMAIL,
        {"subject": "Reklamation"},
    )
    house.installation.byhand.found(
        request_id, "customer-service", (record,), reason="searched", by=BY
    )
    look_everywhere(house, case_id, Right.ERASURE)
    house.installation.deciding.approve(request_id, by=BY, considered=True)
    house.worker.drain()
    (found,) = asked(house, case_id, Right.ERASURE).own_records
    until = clock().date() + timedelta(days=90)
    house.installation.byhand.erased(
        request_id,
        "customer-service",
        {
            found.record_id: Result(
                Outcome.KEPT, ground="legal_claim", until=until, words="Reklamation pågår"
            )
        },
        looked_again=True,
        by=BY,
    )
    (claim,) = house.installation.held.of_case(house.case(case_id))
    assert (claim.ground, claim.owner, claim.review_on) == (LEGAL_CLAIM, BY, until)

    house.installation.holds.lift(claim.id, reason="Klart", by=BY)
    hurry(house)
    claim = house.installation.register.hold(claim.id)
    assert (claim.waits_for, claim.erased) == ("look-up", False)
    assert [one.key for one in house.installation.holds.records(claim.id)] == ["thread 7"]
    house.installation.holds.erased_by_hand(claim.id, looked_again=True, by=BY)
    assert house.installation.register.hold(claim.id).erased


def test_a_restricted_record_waits_although_its_law_is_done_with_it(
    house: House, clock: Clock
) -> None:
    """GK-07, Art. 18(2): whoever needs it kept has it kept; its release waits for that."""
    shop = invoice(house)
    request = kept(house)
    pass_to(house, clock, LAST_DAY)
    case_id = confirmed(house, Right.RESTRICTION, controller=SWEDEN, text="Spar allt")
    house.installation.identity.verify_by_hand(case_id, method=IdentityMethod.IN_PERSON, by=BY)
    house.installation.restrictions.restrict(
        asked(house, case_id, Right.RESTRICTION).id, ground=RestrictionGround.LEGAL_CLAIM, by=BY
    )

    pass_to(house, clock, LAST_DAY + timedelta(days=1))

    assert keys(shop) == {"i1", "another"}
    assert hold_of(house, request).stands
