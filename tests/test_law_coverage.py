"""The table of the law cannot lie: every line has its test or its reason, and tests notice."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

import pytest

from tests.law_coverage import TESTS, Line, inversions, lines, named_anywhere, named_in, proofs
from tests.support.inversions import Inversion, RuleMoved, sample

SEED = os.environ.get("TRETTIO_SEED", "30")
SAMPLE = 8


def _id(line: Line) -> str:
    return line.id


def test_every_line_has_a_test_or_a_reason() -> None:
    silent = [line.id for line in lines().values() if line.id not in proofs() and not line.reason]

    assert silent == []


def test_what_is_not_for_software_has_no_test_and_nothing_missing() -> None:
    odd = [
        line.id
        for line in lines().values()
        if line.not_for_software and (line.id in proofs() or line.missing)
    ]

    assert odd == []


def test_every_line_says_what_it_demands_in_a_sentence() -> None:
    assert all(10 < len(line.demands) < 200 for line in lines().values())


def test_all_parts_of_the_law_are_there() -> None:
    parts = Counter(name.partition("-")[0].partition(".")[0] for name in lines())

    of_b = parts.pop("B")

    assert parts == {"AK": 29, "GK": 29, "OK": 18, "MU": 24, "AO": 21, "X": 6, "E": 18}
    assert of_b >= 50


def test_no_test_names_a_line_that_does_not_exist() -> None:
    general = {"B.1", "B.2", "B.3", "B.4", "B.5", "B.7"}
    unknown = {(file, name) for file, name in named_anywhere() if name not in lines()}

    assert {(file, name) for file, name in unknown if name not in general} == set()


def test_a_range_names_every_line_in_it() -> None:
    assert list(named_in("GK-02 to GK-04, B.2.6; B.1 row 12(4), B.7 row eves: E-01.")) == [
        *("GK-02", "GK-03", "GK-04", "B.2.6", "B.1 row 12(4)", "B.7 row eves", "E-01")
    ]


# Inversions


@pytest.mark.parametrize("line", [line for line in lines().values() if line.inversions], ids=_id)
def test_what_is_turned_round_is_where_it_is_said_to_be(line: Line) -> None:
    for inversion in line.inversions:
        assert inversion.inverted()
        assert inversion.test in proofs().get(line.id, ()), "that test does not name the line"


def test_sixty_lines_of_a_b_and_e_hold() -> None:
    assert sum(bool(line.inversions) and line.id[0] != "X" for line in lines().values()) >= 60


def test_a_rule_that_moved_is_told() -> None:
    there = inversions()[0]

    for file, old in ((there.file, "nowhere to be found"), ("tests/conftest.py", there.old)):
        with pytest.raises(RuleMoved, match=there.line):
            Inversion(there.line, file, old, "x", there.test).inverted()


def test_seeds_in_a_row_leave_no_inversion_out() -> None:
    every = inversions()
    seeds = range(len(every) // SAMPLE + 1)

    assert {each for seed in seeds for each in sample(every, SAMPLE, seed)} == set(every)


def test_a_handful_of_inverted_rules_is_noticed() -> None:
    """`python -m tests.law_coverage --invert` does all; TRETTIO_SEED chooses the handful."""
    command = ["tests.law_coverage", "--invert", "--sample", str(SAMPLE), "--seed", SEED]
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{SAMPLE} of {SAMPLE} inversions were caught" in done.stdout
