"""Bearer tokens: scopes and controllers, an end, and only a hash at rest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from adapters.outbound.database import Database
from adapters.outbound.tokens import Scope, Tokens

DESK = frozenset({Scope.DESK})


@pytest.fixture
def tokens(database: Database) -> Tokens:
    return Tokens(database)


def test_a_token_says_who_comes_and_what_they_may(tokens: Tokens) -> None:
    token = tokens.create(
        name="desk", staff_id="ola", scopes=DESK, controllers=frozenset({"fjordscenen"})
    )

    bearer = tokens.bearer(token)

    assert bearer is not None
    assert bearer.staff_id == "ola"
    assert bearer.may(Scope.DESK)
    assert not bearer.may(Scope.ADMIN)
    assert bearer.sees("fjordscenen")
    assert not bearer.sees("stundbiljett")


def test_a_token_for_no_controller_in_particular_is_for_all(tokens: Tokens) -> None:
    bearer = tokens.bearer(tokens.create(name="desk", staff_id="ola", scopes=DESK))

    assert bearer is not None
    assert bearer.sees("whichever")


def test_an_ended_or_revoked_token_is_none(tokens: Tokens) -> None:
    ended = tokens.create(
        name="ended",
        staff_id="ola",
        scopes=DESK,
        expires_at=datetime.now(UTC) - timedelta(seconds=1),
    )
    revoked = tokens.create(name="lost", staff_id="ola", scopes=DESK)
    other = tokens.create(name="other", staff_id="ola", scopes=DESK)

    assert tokens.revoke("lost") == 1
    assert tokens.revoke("lost") == 0
    assert tokens.bearer(ended) is None
    assert tokens.bearer(revoked) is None
    assert tokens.bearer(other) is not None


@pytest.mark.parametrize("token", ["", "trt_", "\x00", "\ud800", "trt_" + "a" * 100_000])
def test_any_other_token_is_none(tokens: Tokens, token: str) -> None:
    assert tokens.bearer(token) is None


def test_the_token_is_not_at_rest(tokens: Tokens, database: Database) -> None:
    token = tokens.create(name="desk", staff_id="ola", scopes=DESK)

    (row,) = database.fetch("SELECT t::text AS all FROM trettio.api_tokens AS t")
    assert token not in row["all"]
    assert token.removeprefix("trt_").encode().hex() not in row["all"]


def test_reading_with_a_token_writes_once_a_minute(tokens: Tokens, database: Database) -> None:
    token = tokens.create(name="desk", staff_id="ola", scopes=DESK)

    used = []
    for _ in range(3):
        tokens.bearer(token)
        used += [r["last_used_at"] for r in database.fetch("SELECT * FROM trettio.api_tokens")]

    assert used[0] is not None
    assert len(set(used)) == 1
