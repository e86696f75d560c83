"""What somebody of the controller reads personal data for: said before, and logged (Art. 5(2)).

The log has ids and the purpose, never what was shown.
"""

from __future__ import annotations

from enum import Enum

import structlog

log = structlog.get_logger()


class Purpose(Enum):
    """What somebody of the controller may want to read personal data for."""

    HANDLE = "handle"
    REVIEW = "review"
    COMPLAINT = "complaint"
    FAULT = "fault"


def log_look(subject: str, *, staff_id: str, purpose: Purpose) -> None:
    log.info("personal_data_shown", subject=subject, staff_id=staff_id, purpose=purpose.value)
