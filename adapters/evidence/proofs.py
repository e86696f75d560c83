"""The proof that events stand in the chain: links from one signed statement to the next.

Of other cases' events between them only digests are told, from which nothing can be read.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from adapters.evidence.trettio_verify import in_force
from adapters.outbound import chain_store
from adapters.outbound.database import Database


def chain_proof(database: Database, positions: Collection[int]) -> dict[str, Any]:
    """What leads from each position to a statement, and every statement that takes."""
    marks = in_force(
        [
            {"number": number, "kind": kind, "position": position}
            for number, kind, position in database.ask(
                "SELECT number, kind, position FROM trettio.statements ORDER BY number"
            )
        ]
    )
    segments = list(_segments(database, sorted(positions), marks))
    numbers = {one[end] for one in segments for end in ("from", "to")}
    lines = database.ask(
        "SELECT line FROM trettio.statements WHERE number = ANY(%b) OR kind <> 'checkpoint'"
        " ORDER BY number",
        [sorted(numbers)],
    )
    return {"statements": [line for (line,) in lines], "segments": segments}


def _segments(
    database: Database, positions: Sequence[int], marks: Sequence[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    places = [one["position"] for one in marks]
    done = 0
    while done < len(positions):
        end = bisect_left(places, positions[done])
        start, upto = marks[end - 1], marks[end]
        inside = [one for one in positions[done:] if one <= upto["position"]]
        yield {
            "from": start["number"],
            "to": upto["number"],
            "links": list(_links(database, start["position"], upto["position"], set(inside))),
        }
        done += len(inside)


def _links(
    database: Database, after: int, upto: int, told: Collection[int]
) -> Iterator[str | dict[str, Any]]:
    others = bytearray()
    for position, link in chain_store.links(database, after=after, upto=upto):
        if position not in told:
            others += link
            continue
        if others:
            yield others.hex()
            others.clear()
        yield {"position": position, "link": link.hex()}
    if others:
        yield others.hex()
