"""Processes are killed at random moments, thirty times, while three hundred requests run."""

from __future__ import annotations

import time
from pathlib import Path
from random import Random

import pytest

from domain.vocabulary import Right
from tests.support.outside import Customer
from tests.support.processes import Process, Running, answers, running, wait_until
from tests.support.reckoning import require_all_is_well
from tests.support.requesters import Asked, Crowd

pytestmark = [pytest.mark.survival, pytest.mark.timeout(900)]

ROUNDS = 30
REQUESTS = (
    *[(Right.ERASURE,)] * 90,
    *[(Right.ACCESS,)] * 60,
    *[(Right.ACCESS, Right.ERASURE)] * 45,
    *[(Right.OBJECTION_TO_MARKETING,)] * 30,
    *[(Right.WITHDRAWAL,)] * 30,
)
LONGEST_LIFE = 3.0
STARTING = 0.2
"""The share of kills that hit a process while it is still starting."""
IN_ORDER = 0.15
"""The share of rounds that end a process as an operator does."""
AFTERWARDS = 240.0
"""Seconds in which everything closes once nobody is killed any more: leases have to run out."""


def test_nothing_is_lost_or_done_twice_however_often_processes_are_killed(
    seed: int, tmp_path: Path
) -> None:
    """Art. 5(2), 12(3), 17, 19: first `serve` alone, then web, workers and follower apart."""
    dice = Random(seed)
    asked = [Asked(Customer(number), rights) for number, rights in enumerate(REQUESTS)]
    dice.shuffle(asked)
    with running(tmp_path, people=len(asked)) as house:
        together = [house.process("serve", "serve")]
        apart = [
            house.process("web", "serve", "--only-web"),
            house.process("work", "work"),
            house.process("follow", "follow"),
        ]
        with Crowd(house.port, house.token, house.mailboxes) as crowd:
            kills = 0
            for processes, first in ((together, 0), (apart, ROUNDS // 2)):
                _start(house, processes)
                for number in range(first, first + ROUNDS // 2):
                    share = slice(
                        len(asked) * number // ROUNDS, len(asked) * (number + 1) // ROUNDS
                    )
                    crowd.let_in(asked[share])
                    try:
                        kills += _round(house, processes, dice)
                        crowd.require_no_error()
                    except AssertionError as error:
                        error.add_note(_told(number, processes))
                        raise
                if processes is together:
                    for process in processes:
                        house.wait_for(process)
                        process.stop()
            try:
                wait_until(
                    lambda: len(crowd.finished) == len(asked) or crowd.is_broken,
                    what="every request is closed",
                    seconds=AFTERWARDS,
                )
            finally:
                print(f"{kills} kills; {crowd.told}")
            crowd.require_no_error()
        for process in apart:
            process.stop()
        require_all_is_well(house, asked, kills=kills)


def _start(house: Running, processes: list[Process]) -> None:
    for process in processes:
        if not process.is_alive:
            process.start()
    processes[0].wait_until(lambda: answers(house.port) == 200, what="it answers")


def _round(house: Running, processes: list[Process], dice: Random) -> int:
    """Let them live for a while, end some, start those again; answers how many were killed."""
    time.sleep(dice.uniform(0.0, LONGEST_LIFE))
    victims = dice.sample(processes, dice.randint(1, len(processes)))
    if dice.random() < IN_ORDER:
        for victim in victims:
            house.wait_for(victim)  # one that is still starting knows no order yet
            victim.stop()
        _start(house, processes)
        return 0
    for victim in victims:
        victim.kill()
    killed = len(victims)
    if dice.random() < STARTING:
        for victim in victims:
            victim.start()
        time.sleep(dice.uniform(0.0, 2.0))
        for victim in victims:
            victim.kill()
        killed += len(victims)
    _start(house, processes)
    return killed


def _told(number: int, processes: list[Process]) -> str:
    return f"round {number}: " + "; ".join(str(process) for process in processes)
