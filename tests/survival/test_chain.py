"""Whoever folds the evidence chain may be killed at any line: no link is lost or made twice."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from adapters.outbound import chain_store
from adapters.outbound.database import Database
from tests.benchmarks.evidence import STATE
from tests.support.chained import Chained
from tests.support.folding import EVERY_LINKS

pytestmark = pytest.mark.survival

EVENTS = 40_000
KILLS = 3
PATIENCE = 60.0


def test_killed_while_it_folds_it_goes_on_where_it_was(
    database: Database, database_url: str, tmp_path: Path, seed: int
) -> None:
    """Art. 5(2): three times kill -9 in the middle of a long log, and it verifies as if nothing."""
    chance = random.Random(seed)
    database.connection.execute(
        "INSERT INTO trettio.log (originator_id, originator_version, topic, state, recorded_at)"
        f" SELECT gen_random_uuid(), 1, 'thing.happened', {STATE}, '2026-02-01'"
        " FROM generate_series(1, %s) AS n".encode(),
        [EVENTS],
    )
    places = [0]
    for _ in range(KILLS):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.folding", database_url, str(tmp_path)],
            cwd=Path(__file__).parents[2],
        )
        deadline = time.monotonic() + PATIENCE
        while chain_store.standing(database)[0] == places[-1]:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.1))
        process.kill()
        process.wait()
        places.append(chain_store.standing(database)[0])

    chained = Chained(database, tmp_path, every_links=EVERY_LINKS)
    chained.fold()

    assert places == sorted(set(places))
    assert [one for one, _ in chain_store.links(database)] == [*range(1, EVENTS + 1)]
    assert chained.file.lines() == chain_store.lines(database)
    assert chained.faults() == []
