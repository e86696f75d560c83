"""A wish for a part of it, field by field and ground by ground (Art. 17(1))."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.decisions import Kept, Verdict
from domain.erasure_wish import ErasureWish, best, fields_of, grounds_of, narrowed
from domain.errors import DomainError
from domain.grounds import BOOKKEEPING
from domain.values import WishedErasure
from domain.vocabulary import Country, Decision, ErasureGround
from tests.support.past import AT, found

HELD = ("name", "email", "phone", "total")
LAW = BOOKKEEPING[Country.NO]
DAY = date(2031, 12, 31)
NAMES = st.lists(st.sampled_from(HELD), unique=True)


def wish(*parts: WishedErasure, by: str = "ola") -> ErasureWish:
    return ErasureWish(
        request_id=uuid4(),
        case_id=uuid4(),
        controller="hall",
        parts=parts,
        by=by,
        timestamp=AT,
    )


def test_a_wish_reaches_what_it_names_and_nothing_else() -> None:
    """GK-06: which part, and on which ground, is recorded as the person said it."""
    news, order = found(category="newsletter"), found(category="orders")
    said = wish(
        WishedErasure(frozenset({ErasureGround.CONSENT_WITHDRAWN}), category="newsletter"),
        WishedErasure(record_id=order.record_id, fields=("phone",)),
    )

    assert grounds_of(said.about(news)) == (ErasureGround.CONSENT_WITHDRAWN,)
    assert fields_of(said.about(news)) == ()
    assert fields_of(said.about(order)) == ("phone",)
    assert said.about(found(category="orders")) == ()


def test_who_names_no_ground_is_heard_on_the_first_and_the_law_examines_the_rest() -> None:
    assert grounds_of([WishedErasure()]) == (ErasureGround.NO_LONGER_NEEDED,)


def test_who_wants_a_record_whole_wants_every_field_of_it() -> None:
    assert fields_of([WishedErasure(fields=("phone",)), WishedErasure()]) == ()


def test_the_last_word_counts_and_the_first_stays_in_the_log() -> None:
    said = wish(WishedErasure(category="newsletter"))
    for _ in range(2):
        said.say_anew(parts=(WishedErasure(),), by="ola", at=AT)

    assert said.parts == (WishedErasure(),)
    assert len(said.collect_events()) == 2


@pytest.mark.parametrize(
    ("parts", "by"),
    [((), "ola"), ((WishedErasure(),), ""), ((WishedErasure(fields=("Kari Testesen",)),), "ola")],
)
def test_a_wish_has_a_part_a_person_and_no_name_in_its_fields(
    parts: tuple[WishedErasure, ...], by: str
) -> None:
    with pytest.raises(DomainError):
        wish(*parts, by=by)


def test_the_ground_by_which_least_stays_is_taken() -> None:
    """MU-12: a policy narrower than Art. 17 never wins over a ground that is met."""
    kept = Verdict(Decision.KEEP, "kept_for_open_obligation", kept=(Kept(LAW, DAY),))
    goes = Verdict(Decision.ERASE, "unlawful", ErasureGround.UNLAWFUL)

    assert best([kept, goes]) is goes


@given(wished=NAMES, kept=st.none() | NAMES.filter(bool))
def test_every_wished_field_goes_or_stays_for_a_reason_and_no_other_is_touched(
    wished: list[str], kept: list[str] | None
) -> None:
    """AK-06, AO-07: an oracle in sets; `kept` empty means that the law keeps the whole record."""
    parts = () if kept is None else (Kept(LAW, DAY, tuple(kept)),)
    whole = Verdict(Decision.KEEP if parts else Decision.ERASE, "x", kept=parts)

    verdict = narrowed(whole, HELD, wished)

    stays = set(wished) & set(kept or ())
    goes = set(wished) - stays
    if not wished:
        assert verdict.decision is Decision.LEAVE
        return
    assert set(verdict.asked) == set(wished)
    assert (verdict.decision is Decision.KEEP) == bool(stays)
    assert {name for part in verdict.kept for name in part.fields} == stays
    assert set(verdict.keep_fields) == (set(HELD) - goes if goes else set())


def test_where_the_law_keeps_the_whole_record_the_system_is_not_touched() -> None:
    whole = Verdict(Decision.KEEP, "kept_by_bookkeeping", kept=(Kept(LAW, DAY),))

    verdict = narrowed(whole, HELD, ("phone",))

    assert (verdict.decision, verdict.keep_fields) == (Decision.KEEP, ())
    assert verdict.kept == (Kept(LAW, DAY, ("phone",)),)


@pytest.mark.parametrize("decision", [Decision.REFER, Decision.BLOCK_AND_REFER])
def test_what_others_decide_stays_with_them(decision: Decision) -> None:
    assert narrowed(Verdict(decision, "x"), HELD, ("phone",)).decision is decision
