"""What the service says about itself: facts as structured log lines, never personal data.

JSON in service, readable on a terminal. A line that would hold an address or a national number is
refused: its values are dropped and the fact that they were is logged instead.
"""

from __future__ import annotations

import io
import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO, cast

import structlog

_DAY = r"(?:0[1-9]|[12]\d|3[01])"
_PERSONAL = re.compile(
    r"[^\s@<>\"]+(?:@|%40)[^\s@<>\"%]+\.[^\W\d_]{2,}"  # an e-mail address
    # A Swedish personal number, with or without century; co-ordination numbers count from 61.
    rf"|(?<![\w.:-])(?:19|20)?\d\d(?:0[1-9]|1[0-2])(?:{_DAY}|[678]\d|9[01])[-+ ]?\d{{4}}(?![\w:-])"
    # A Norwegian one; D-numbers count days from 41, synthetic ones months from 41 or 81.
    rf"|(?<![\w.:-])(?:{_DAY}|[456]\d|7[01])(?:[048][1-9]|[159][0-2])\d\d[- ]?\d{{5}}(?![\w:-])"
    r"|(?<![\w.:])(?:\+|00)4[5-7](?:[ -]?\d){8,10}(?![\w:])"  # a telephone number abroad
    r"|(?<![\w.:-])07\d[- ]?\d{3}[ -]?\d\d[ -]?\d\d(?![\w:-])",  # and a Swedish one at home
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
    output = to or cast(TextIO, _StandardError())
    pretty = style == "pretty" or (style == "auto" and sys.stderr.isatty() and to is None)
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
    )
    logging.basicConfig(handlers=[_FromLibraries()], level=logging.WARNING, force=True)


class _StandardError(io.TextIOBase):
    """Whatever standard error is at the moment of writing: it may be replaced, and closed."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


class _FromLibraries(logging.Handler):
    """What libraries log, in our form: which one, how serious, where; never their words.

    A web server writes the message of every exception it meets, and that may quote a form.
    """

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(
            record.levelno,
            "library_said",
            library=record.name,
            about=str(record.msg) if record.args else "",
            exc_info=record.exc_info[1] if record.exc_info else None,
        )
