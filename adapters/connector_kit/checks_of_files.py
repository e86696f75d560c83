"""Whatever is in a file ends in records or in one of three errors (Art. 32)."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.connector_kit.case import (
    KARI,
    Case,
    from_files,
    require_sound_if_any,
    tried,
)
from adapters.connector_kit.case import case as case
from adapters.connector_kit.wire import ENDLESS
from services.ports import (
    AwaitsPerson,
    Refused,
    Unavailable,
)

# Files


@from_files
@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    place=st.integers(0, 10_000),
    length=st.integers(0, 40),
    bytes_=st.binary(max_size=20)
    | st.sampled_from(
        [b"\xff\xfe", b"\x00", b'"', b"\r", b"sep=\n", b";" * 3_000, b"\xef\xbb\xbf"]
    ),
)
def test_whatever_is_in_a_file_ends_in_records_or_one_of_three_errors(
    case: Case, place: int, length: int, bytes_: bytes
) -> None:
    whole = case.world.kept()
    start = place % (len(whole) + 1)
    case.world.put_back(whole[:start] + bytes_ + whole[start + length :])
    require_sound_if_any(tried(case.find))
    case.world.put_back(whole)


@from_files
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_huge_line_is_refused_and_not_kept(case: Case, end: bytes) -> None:
    for start in (b"", case.world.kept()):
        case.world.put_back(start + b"x" * (ENDLESS // 4) + end)
        tracemalloc.start()
        assert isinstance(tried(case.find), Refused)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < ENDLESS / 8


@from_files
def test_a_file_that_goes_away_is_asked_for_again(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_: Path) -> os.stat_result:
        raise FileNotFoundError(2, "No such file", KARI.email)

    monkeypatch.setattr(Path, "lstat", gone)

    assert isinstance(tried(case.find), Unavailable | AwaitsPerson)
