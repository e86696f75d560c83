"""Addresses with a secret: one purpose, an end, and only a hash at rest."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from adapters.outbound.database import Database
from adapters.outbound.links import PostgresLinks

A_DAY = timedelta(days=1)


@pytest.fixture
def links(database: Database) -> PostgresLinks:
    return PostgresLinks(database)


def test_a_link_leads_where_it_was_made_for(links: PostgresLinks, database: Database) -> None:
    subject = uuid4()
    secret, writes = links.issue(subject, purpose="answer", valid_for=A_DAY)
    assert links.follow(secret, purpose="answer") is None
    database.run(*writes)

    found = links.follow(secret, purpose="answer")

    assert found is not None
    assert found.subject_id == subject
    assert links.follow(secret, purpose="identity") is None
    assert len(secret) >= 43


def test_a_link_ends(links: PostgresLinks, database: Database) -> None:
    secret, writes = links.issue(uuid4(), purpose="answer", valid_for=timedelta(seconds=-1))
    database.run(*writes)

    assert links.follow(secret, purpose="answer") is None


def test_withdrawing_ends_all_of_one_purpose(links: PostgresLinks, database: Database) -> None:
    subject = uuid4()
    answer, first = links.issue(subject, purpose="answer", valid_for=A_DAY)
    proof, second = links.issue(subject, purpose="identity", valid_for=A_DAY)
    database.run(*first, *second)

    database.run(links.withdraw(subject, purpose="answer"))

    assert links.follow(answer, purpose="answer") is None
    assert links.follow(proof, purpose="identity") is not None


@pytest.mark.parametrize("secret", ["", "x", "\x00", "\ud800", "a" * 100_000])
def test_any_other_secret_leads_nowhere(links: PostgresLinks, secret: str) -> None:
    assert links.follow(secret, purpose="answer") is None


def test_the_secret_is_not_at_rest(links: PostgresLinks, database: Database) -> None:
    secret, writes = links.issue(uuid4(), purpose="answer", valid_for=A_DAY)
    database.run(*writes)

    (row,) = database.fetch("SELECT links::text AS all FROM trettio.links AS links")
    assert secret not in row["all"]
    assert secret.encode().hex() not in row["all"]
