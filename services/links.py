"""The link by which whoever asked follows a case; every letter that gives one makes a new one."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from services.ports import Also, Links

FOLLOWING = "following"
VALID_FOR = timedelta(days=400)
"""Three months at the longest until the answer, and long after; it ends with what it shows."""


def link_to(links: Links, case_id: UUID, address: str) -> tuple[str, tuple[Also, ...]]:
    """The address by which a case is followed, and the write that makes it work."""
    secret, written = links.issue(case_id, purpose=FOLLOWING, valid_for=VALID_FOR)
    return f"{address}/follow/{secret}", written
