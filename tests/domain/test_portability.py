"""What may be taken along: provided by the person, by consent or contract (Art. 20(1))."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from uuid import uuid4

import pytest

from adapters.profiles import load_profile, shipped_profiles
from domain.errors import DomainError, NotAllowedNow
from domain.policy import LegalBasis, Profile
from domain.portability import DirectTransfer, NotPortable, left_out, portable_purposes
from tests.support.past import AT, ref
from tests.support.profiles import fictional_profile

BASES = [c for size in (0, 1, 2) for c in combinations(LegalBasis, size)]


def with_bases(*bases: LegalBasis, provided: bool = True) -> Profile:
    """A profile whose first category has one purpose, processed on these bases."""
    profile = fictional_profile()
    purpose = replace(profile.purposes[0], bases=bases)
    category = replace(profile.categories[0], purposes=(purpose.id,), provided_by_person=provided)
    return replace(profile, purposes=(purpose,), categories=(category,))


@pytest.mark.parametrize("bases", BASES, ids=lambda bases: "+".join(b.value for b in bases))
def test_consent_or_contract_among_the_bases_is_enough(bases: tuple[LegalBasis, ...]) -> None:
    """GK-09; where none is stated, the controller's silence takes nothing away (X-02)."""
    profile = with_bases(*bases)
    may = not bases or LegalBasis.CONSENT in bases or LegalBasis.CONTRACT in bases

    assert left_out(profile, profile.categories[0]) == (None if may else NotPortable.OTHER_BASIS)


def test_what_the_person_did_not_provide_is_left_out() -> None:
    """B.1 row 20: inferences are not provided, whatever they rest on."""
    profile = with_bases(LegalBasis.CONTRACT, provided=False)

    assert left_out(profile, profile.categories[0]) is NotPortable.NOT_PROVIDED


def test_a_municipality_gives_purposes_two_to_four_and_no_other() -> None:
    """GK-09, GK-16: 1, 5 and 6 are legitimate interest only; 4 has a double basis and counts."""
    profile = load_profile(shipped_profiles()["gjovik-kultursenter"], name="x")
    every = replace(
        profile.categories[0], purposes=tuple(purpose.id for purpose in profile.purposes)
    )

    places = {
        number
        for number, purpose in enumerate(profile.purposes, start=1)
        if purpose in portable_purposes(profile, every)
    }

    assert places == {2, 3, 4}


def transfer() -> DirectTransfer:
    return DirectTransfer(
        request_id=uuid4(),
        case_id=uuid4(),
        controller="hall",
        recipient_name=ref(),
        by="ola",
        timestamp=AT,
    )


def test_whether_a_direct_transfer_is_feasible_is_recorded_by_a_person() -> None:
    """AK-09: asked for, and feasible or not."""
    wished = transfer()
    assert wished.feasible is None
    with pytest.raises(DomainError):
        wished.judge(feasible=False, reason="no-common-format", by="trettio", at=AT)

    wished.judge(feasible=False, reason="no-common-format", by="ola", at=AT)

    assert wished.feasible is False
    assert wished.reason == "no-common-format"
    with pytest.raises(NotAllowedNow):
        wished.make(how="upload", by="ola", at=AT)


def test_what_was_transferred_stays_transferred() -> None:
    wished = transfer()
    wished.judge(feasible=True, reason="they-can-take-it", by="ola", at=AT)
    for _ in range(2):
        wished.make(how="upload", by="ola", at=AT)

    assert len(wished.collect_events()) == 3
    with pytest.raises(NotAllowedNow):
        wished.judge(feasible=False, reason="no-common-format", by="ola", at=AT)
