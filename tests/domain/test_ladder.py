"""Proof is asked for in doubt only, in proportion, and opens what it proves and nothing else."""

from __future__ import annotations

import pytest

from domain.errors import DomainError
from domain.ladder import HEAVY, LADDER, PROVES, Doubt, doubt_named, require_proportionate
from domain.vocabulary import IdentifierKind, IdentityMethod


def test_the_ladder_goes_from_an_address_to_a_document() -> None:
    """B.2.8: login or code, order knowledge, eID, and documents last."""
    assert LADDER.index(IdentityMethod.CODE_TO_ADDRESS) < LADDER.index(IdentityMethod.EID)
    assert set(LADDER[-2:]) == HEAVY
    assert set(PROVES) == set(LADDER)


@pytest.mark.parametrize("method", LADDER)
def test_no_proof_but_one_of_an_address_opens_an_address(method: IdentityMethod) -> None:
    """B.2.8: whoever shows a passport, or knows an order, has proven no address."""
    address = IdentifierKind.EMAIL in PROVES[method]

    assert address is (method in {IdentityMethod.CODE_TO_ADDRESS, IdentityMethod.LOGIN})
    assert IdentifierKind.PHONE not in PROVES[method]


@pytest.mark.parametrize("word", ["always", "routine", "", "unknown sender"])
def test_a_demand_without_a_doubt_is_refused(word: str) -> None:
    """Art. 12(6): never a default step; law B.1 wants the reason recorded each time."""
    with pytest.raises(DomainError, match="only in doubt"):
        doubt_named(word)


@pytest.mark.parametrize("doubt", Doubt)
@pytest.mark.parametrize("method", LADDER)
def test_a_document_is_asked_for_last(method: IdentityMethod, doubt: Doubt) -> None:
    """B.2.8: document inspection comes last, and only for a grave doubt."""
    grave = {Doubt.SENSITIVE_CONTENT, Doubt.NO_ADDRESS, Doubt.LIGHTER_PROOF_FAILED}
    if method in HEAVY and doubt not in grave:
        with pytest.raises(DomainError, match="asked for last"):
            require_proportionate(method, doubt, lighter_failed=True)
    else:
        require_proportionate(method, doubt, lighter_failed=True)


def test_nobody_can_say_that_a_lighter_proof_failed_which_was_never_asked_for() -> None:
    with pytest.raises(DomainError, match="ask for that first"):
        require_proportionate(
            IdentityMethod.DOCUMENT_SEEN, Doubt.LIGHTER_PROOF_FAILED, lighter_failed=False
        )
