"""What was answered to a command, by its key, so that a repeated one has no second effect.

The answer is written in the transaction of the effect: either both are there or neither is
(draft-ietf-httpapi-idempotency-key-header). Answers hold ids, states and dates, and of what was
sent only a keyed digest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from psycopg.types.json import Jsonb

from adapters.outbound.database import Database, Statement

USED_ONCE = "idempotency_keys_used_once"
STATE_AS_EXPECTED = "state_as_expected"


class UnderWay(Exception):
    """Somebody is working on the same key at this moment."""


class UsedForAnother(Exception):
    """The key has been used for something else."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it can be given again."""

    status: int
    body: str
    headers: Mapping[str, str]


class IdempotencyKeys:
    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def alone_with(self, scope: str, key: str, digest: bytes) -> Iterator[Answer | None]:
        """Keep the key to oneself, in all processes, and say what it was answered with before.

        The lock goes with the connection, so whoever is killed holds nothing. The row is read
        after the lock was taken: then whoever had it before has finished.
        """
        name = f"{scope}/{key}"
        ((taken,),), found = self._database.ask_each(
            ("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [name]),
            (
                "SELECT request_digest, response_status, response_body"
                " FROM trettio.idempotency_keys WHERE scope = %s AND key = %s",
                [scope, key],
            ),
        )
        if not taken:
            raise UnderWay
        try:
            for known, status, body in found:
                if bytes(known) != digest:
                    raise UsedForAnother
                yield Answer(status, body["body"], body["headers"])
                return
            yield None
        finally:
            self._database.ask("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [name])

    def used(self, scope: str, key: str, digest: bytes, answer: Answer) -> Statement:
        """The row that belongs into the transaction of the effect."""
        return Statement(
            "INSERT INTO trettio.idempotency_keys"
            " (key, scope, request_digest, response_status, response_body)"
            " VALUES (%s, %s, %s, %s, %s)",
            [
                key,
                scope,
                digest,
                answer.status,
                Jsonb({"body": answer.body, "headers": dict(answer.headers)}),
            ],
        )


class Versions:
    """How far aggregates are, and the demand that they are no further when something is saved."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, ids: list[UUID]) -> dict[UUID, int]:
        """The version of each aggregate; 0 where nothing has begun."""
        rows = self._database.ask(
            "SELECT originator_id, max(originator_version) FROM trettio.log"
            " WHERE originator_id = ANY(%s) GROUP BY originator_id",
            [ids],
        )
        known = {aggregate: int(version) for aggregate, version in rows}
        return {one: known.get(one, 0) for one in ids}

    @staticmethod
    def required(versions: Mapping[UUID, int]) -> Statement:
        """Fails the transaction it joins when one of them is at another version by then."""
        return Statement(
            "SELECT trettio.require_versions(%s, %s::bigint[])",
            [list(versions), list(versions.values())],
        )
