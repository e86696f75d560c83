"""A command that was told to end is gone soon after, whatever a thread of its still waits for."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HANGING = """
import sys, threading
from adapters.ending import surely_ending
from adapters.logs import configure

configure("json")

def hangs():
    threading.Event().wait()

with surely_ending(patience=0.1):
    threading.Thread(target={thread}, name="follower").start()
    print("said before the end")
    sys.exit({code})
"""

HANGING_ITSELF = """
import threading
from adapters.ending import deadline
from adapters.logs import configure

configure("json")
deadline.set(0.1)
deadline.set(60)
threading.Event().wait()
"""
ENDING_IN_ORDER = """
import time
from adapters.ending import deadline

deadline.set(0.1)
deadline.lift()
time.sleep(0.3)
print("in order")
"""


@pytest.mark.parametrize("code", [0, 2])
def test_a_thread_that_hangs_is_left_behind_and_named(code: int) -> None:
    ended = _run(HANGING.format(thread="hangs", code=code))

    assert ended.returncode == code
    assert ended.stdout == "said before the end\n"
    told = json.loads(ended.stderr)
    assert (told["event"], told["thread"]) == ("thread_left_behind", "follower")
    assert any(":hangs:" in place for place in told["at"])


def test_where_every_thread_ends_nothing_is_said() -> None:
    ended = _run(HANGING.format(thread="print", code=3))

    assert ended.returncode == 3
    assert ended.stderr == ""


def test_a_main_thread_that_hangs_keeps_no_process_alive() -> None:
    ended = _run(HANGING_ITSELF)

    assert ended.returncode == 0
    told = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [one["thread"] for one in told] == ["MainThread"]


def test_what_ended_in_order_is_not_cut_off_afterwards() -> None:
    ended = _run(ENDING_IN_ORDER)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "in order\n"


def _run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )
