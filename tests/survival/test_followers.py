"""One runner per read model, another within ten seconds, and a poison event stops only its own.

With real `trettio follow` processes, killed as the kernel does it.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from eventsourcing.persistence import StoredEvent

from adapters.outbound.recorder import LogRecorder
from domain.vocabulary import Right
from tests.support.asking import asked, confirmed, received
from tests.support.house import House, open_house

pytestmark = pytest.mark.survival

ROOT = Path(__file__).parents[2]
FAIL_OVER = 10.0


@contextmanager
def following(environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("trettio")), "follow"],
            env=dict(environment),
            cwd=ROOT,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def caught_up_within(house: House, seconds: float) -> float:
    """How long until no read model lacks anything."""
    began = time.monotonic()
    while any(state.behind for state in house.installation.views.states()):
        assert time.monotonic() - began < seconds, f"still behind after {seconds:.0f} s"
        time.sleep(0.02)
    return time.monotonic() - began


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> Mapping[str, str]:
    return {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": str(ROOT),
        "TRETTIO_HOME": str(tmp_path),
        "TRETTIO_DATABASE_URL": database_url,
        "TRETTIO_LOG": "json",
    }


def test_the_next_runner_takes_over_within_ten_seconds_and_poison_stops_only_its_own(
    database_url: str, tmp_path: Path, environment: Mapping[str, str], seed: int
) -> None:
    chance = random.Random(seed)
    took = []
    with (
        open_house(database_url, tmp_path) as house,
        following(environment, tmp_path / "one.log") as one,
        following(environment, tmp_path / "two.log") as two,
    ):
        poisoned = confirmed(house, Right.ACCESS)
        request = asked(house, poisoned, Right.ACCESS)
        caught_up_within(house, 60)  # both have started
        poison = StoredEvent(request.id, 1_000, "request.assigned", b"not what it was")
        LogRecorder(house.installation.database).insert_events([poison])
        for number in range(3):
            received(house, f"Hei {number}")
            took.append(caught_up_within(house, FAIL_OVER))
        parked = {(one.aggregate_id, one.topic) for one in house.installation.views.parked()}
        assert parked == {(request.id, "request.assigned")}

        first, second = chance.sample([one, two], 2)
        for number in range(5):
            received(house, f"Hallo {number}")
        time.sleep(chance.random() / 5)  # wherever it is now
        first.kill()
        received(house, "Er dere der?")
        took.append(caught_up_within(house, FAIL_OVER))
        assert second.poll() is None

        rows = house.installation.database.fetch("SELECT count(DISTINCT case_id) FROM views.inbox")
    print(f"seed {seed}: caught up after {', '.join(f'{one:.2f}' for one in took)} s")
    assert rows == [{"count": 10}]


def holders(house: House) -> set[int]:
    """The sessions that have held the row of a position for a while."""
    found = house.installation.database.fetch(
        "SELECT pid FROM pg_stat_activity WHERE xact_start < clock_timestamp() - interval '0.5 s'"
        " AND pid IN (SELECT pid FROM pg_locks WHERE mode = 'RowShareLock'"
        " AND relation = 'views.positions'::regclass)"
    )
    return {row["pid"] for row in found}


def test_a_runner_that_is_frozen_in_the_middle_keeps_nothing_from_the_next(
    database_url: str, tmp_path: Path, environment: Mapping[str, str], seed: int
) -> None:
    """As a virtual machine does while it is moved: it neither ends nor lets go."""
    chance = random.Random(seed)
    with (
        open_house(database_url, tmp_path) as house,
        following(environment, tmp_path / "one.log") as one,
        following(environment, tmp_path / "two.log") as two,
    ):
        received(house, "Hei")
        caught_up_within(house, 60)
        for number in range(200):
            received(house, f"Hei {number}")
            time.sleep(chance.random() / 10)
            frozen = chance.choice([one, two])
            frozen.send_signal(signal.SIGSTOP)
            began = time.monotonic()
            time.sleep(0.6)
            if holders(house):
                break
            frozen.send_signal(signal.SIGCONT)
        else:
            pytest.fail("never caught one that held a row")
        received(house, "Er dere der?")
        caught_up_within(house, FAIL_OVER)
        took = time.monotonic() - began
        frozen.send_signal(signal.SIGCONT)
        received(house, "Og nå?")
        caught_up_within(house, FAIL_OVER)
        assert one.poll() is None
        assert two.poll() is None
        rows = house.installation.database.fetch("SELECT count(DISTINCT case_id) FROM views.inbox")
    print(f"seed {seed}: caught in try {number + 1}, caught up after {took:.2f} s")
    assert took < FAIL_OVER
    assert rows == [{"count": number + 4}]


def test_a_log_that_is_replaced_ends_the_process_and_a_start_makes_all_anew(
    database_url: str, tmp_path: Path, environment: Mapping[str, str]
) -> None:
    with open_house(database_url, tmp_path) as house:
        with following(environment, tmp_path / "one.log") as one:
            received(house, "Hei")
            caught_up_within(house, 60)
            house.installation.database.fetch(
                "UPDATE trettio.incarnation SET id = gen_random_uuid()"
            )
            assert one.wait(timeout=60) == 2
        last = (tmp_path / "one.log").read_text().splitlines()[-1]
        assert last.endswith("the log was restored from a backup: start this process anew")
        with following(environment, tmp_path / "two.log"):
            received(house, "Er dere der?")
            caught_up_within(house, 60)
        rows = house.installation.database.fetch("SELECT count(*) FROM views.inbox")
    assert rows == [{"count": 2}]
