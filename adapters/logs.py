"""What the service says about itself: facts as structured log lines, never personal data.

JSON in service, readable on a terminal. A line that would hold an address or a national number is
refused: its values are dropped and the fact that they were is logged instead.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog

_PERSONAL = re.compile(
    r"[^\s@<>\"]+@[^\s@<>\"]+\.[a-z]{2,}"  # an e-mail address
    r"|(?<![\d.:-])\d{6}[-+ ]?\d{4,5}(?![\d.:-])"  # a Norwegian or Swedish national number
    r"|(?<!\d)(?:\+|00)4[5-7][ \d]{8,12}",  # a telephone number with its country
    re.IGNORECASE,
)
_DROPPED = "[personal data refused]"


def refuse_personal_data(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A structlog processor: no value that looks like personal data gets into a log line."""
    for key, value in event.items():
        event[key] = _clean(value)
    return event


def _clean(value: object) -> object:
    if isinstance(value, str):
        return _PERSONAL.sub(_DROPPED, value)
    if isinstance(value, Mapping):
        return {str(_clean(key)): _clean(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(inner) for inner in value]
    if isinstance(value, int | float | bool | None):
        return value
    return _PERSONAL.sub(_DROPPED, str(value))


def without_error_messages(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Keep an exception's type and place, not its words: those may quote somebody's data."""
    info = event.pop("exc_info", None)
    if info:
        error = info if isinstance(info, BaseException) else sys.exc_info()[1]
        if error is not None:
            event["error"] = type(error).__name__
            event["at"] = _places(error)
    return event


def _places(error: BaseException) -> list[str]:
    places = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(
            f"{trace.tb_frame.f_globals.get('__name__', '?')}:{code.co_name}:{trace.tb_lineno}"
        )
        trace = trace.tb_next
    return places[-6:]


def configure(style: str, *, to: TextIO | None = None) -> None:
    """Set up logging for this process: `json`, `pretty`, or `auto` (pretty on a terminal)."""
    output = to or sys.stderr
    pretty = style == "pretty" or (style == "auto" and output.isatty())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            without_error_messages,
            refuse_personal_data,
            structlog.dev.ConsoleRenderer() if pretty else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(output),
        cache_logger_on_first_use=True,
    )
    for name in ("uvicorn", "uvicorn.access", "uvicorn.error"):
        logging.getLogger(name).setLevel(logging.WARNING)
