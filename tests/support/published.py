"""Published policies: two invented ones, and the texts of real ones where somebody has put them.

The real ones belong to those who wrote them, so a checkout has none: what needs one skips.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

INVENTED = Path(__file__).with_name("policy_texts")
FJORDLYST, SKOGSLJUS = INVENTED / "fjordlyst.nb.txt", INVENTED / "skogsljus.sv.txt"


def policy_of(profile_id: str) -> str:
    """The policy that a shipped profile was read from, in the folder TRETTIO_POLICIES names."""
    folder = os.environ.get("TRETTIO_POLICIES")
    if folder is None:
        pytest.skip("no policy is here: set TRETTIO_POLICIES to a folder that has the texts")
    (path,) = Path(folder).glob(f"{profile_id}.*.txt")
    return path.read_text(encoding="utf-8")
