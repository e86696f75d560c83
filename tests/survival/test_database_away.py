"""PostgreSQL is killed, or its disk is full, under load: 503, nothing lost, and on by itself."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from random import Random

import pytest

from domain.vocabulary import Right
from tests.support.components import unavailable
from tests.support.outside import Customer
from tests.support.processes import Running, answers, running, wait_until
from tests.support.reckoning import require_all_is_well
from tests.support.requesters import Asked, Crowd

pytestmark = [pytest.mark.survival, pytest.mark.timeout(300)]

DEATHS = 4
DISK_MEGABYTES = 192
FULL_SECONDS = 4.0
RIGHTS = (
    (Right.ERASURE,),
    (Right.ACCESS,),
    (Right.ACCESS, Right.ERASURE),
    (Right.OBJECTION_TO_MARKETING,),
)


def test_everything_goes_on_by_itself_after_postgresql_was_killed(
    seed: int, tmp_path: Path
) -> None:
    """Art. 5(1)(f), 32(1)(c): what was acknowledged is there, and no role needs a restart."""
    dice = Random(seed)
    asked = _asked(48)
    with running(tmp_path, people=len(asked)) as house:
        roles = _started(house)
        with Crowd(house.port, house.token, house.mailboxes) as crowd:
            for number in range(DEATHS):
                crowd.let_in(asked[number::DEATHS])
                time.sleep(dice.uniform(0.5, 3.0))
                assert house.postgres.pid is not None
                os.kill(house.postgres.pid, signal.SIGKILL)
                time.sleep(dice.uniform(0.5, 2.0))
                assert answers(house.port) == HTTPStatus.SERVICE_UNAVAILABLE
                house.postgres.start()
                crowd.require_no_error()
            _require_all_finish(crowd, asked)
        assert crowd.seen.statuses[503] > 0, "nobody noticed anything: this proves nothing"
        _require_untouched(house, roles)
        require_all_is_well(house, asked, kills=0, cuts=DEATHS)


def test_everything_goes_on_by_itself_after_the_disk_was_full(
    seed: int, tmp_path: Path, small_disk: Path
) -> None:
    """Art. 5(1)(f), 32(1)(c): a full disk takes nothing, and answers nothing that is not so."""
    dice = Random(seed)
    asked = _asked(48)
    with running(tmp_path / "house", people=len(asked), data=small_disk) as house:
        roles = _started(house)
        balloon = small_disk / "balloon"
        with Crowd(house.port, house.token, house.mailboxes) as crowd:
            crowd.let_in(asked[::2])
            time.sleep(dice.uniform(0.5, 3.0))
            _fill(balloon)
            crowd.let_in(asked[1::2])
            wait_until(lambda: crowd.seen.statuses[503] or crowd.is_broken, what="the disk is full")
            refills = 0
            full_until = time.monotonic() + FULL_SECONDS
            while time.monotonic() < full_until:
                _fill(balloon)
                refills += 1
                time.sleep(0.2)
            balloon.unlink()
            wait_until(lambda: _is_up(house), what="PostgreSQL runs again")
            crowd.require_no_error()
            _require_all_finish(crowd, asked)
        _require_untouched(house, roles)
        require_all_is_well(house, asked, kills=0, cuts=refills)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system that a test can fill without doing harm."""
    place = tmp_path / "disk"
    place.mkdir()
    size = f"size={DISK_MEGABYTES}m"
    mount = ["mount", "-t", "tmpfs", "-o", size, "trettio-survival", str(place)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except OSError as error:
        unavailable("a small disk", f"mount cannot be run ({error})")
    if done.returncode:
        unavailable("a small disk", "run as root where a tmpfs may be mounted")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=False)


def _asked(count: int) -> list[Asked]:
    return [Asked(Customer(number), RIGHTS[number % len(RIGHTS)]) for number in range(count)]


def _started(house: Running) -> dict[str, int]:
    """Web, workers and follower, each in a process of its own; their process ids."""
    roles = [
        house.process("web", "serve", "--only-web"),
        house.process("work", "work"),
        house.process("follow", "follow"),
    ]
    for role in roles:
        role.start()
    roles[0].wait_until(lambda: answers(house.port) == HTTPStatus.OK, what="it answers")
    return {role.name: role.pid for role in roles}


def _require_all_finish(crowd: Crowd, asked: list[Asked]) -> None:
    try:
        wait_until(
            lambda: len(crowd.finished) == len(asked) or crowd.is_broken,
            what="every request is closed",
        )
    finally:
        print(crowd.told)
    crowd.require_no_error()


def _require_untouched(house: Running, roles: dict[str, int]) -> None:
    """No process was started anew, and each ends in order."""
    assert {process.name: process.pid for process in house.processes} == roles
    for process in house.processes:
        assert process.is_alive, process
        process.stop()


def _fill(balloon: Path) -> None:
    """Leave no byte."""
    with balloon.open("ab", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1 << 20))
        except OSError:
            pass


def _is_up(house: Running) -> bool:
    """What a supervisor does: start what has ended, and look again."""
    if not house.postgres.is_running:
        house.postgres.start()
    return answers(house.port) == HTTPStatus.OK
