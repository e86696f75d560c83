"""What survival tests share: the seed from which every random point of a run comes."""

from __future__ import annotations

import os

import pytest


@pytest.fixture
def seed() -> int:
    """TRETTIO_SEED, or always the same; printed, so that a failing run can be repeated."""
    chosen = int(os.environ.get("TRETTIO_SEED", "30"))
    print(f"TRETTIO_SEED={chosen}")
    return chosen
