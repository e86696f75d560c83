"""A process that ends at one line, as if by kill -9: nothing after it happens."""

from __future__ import annotations

from typing import Any

import pytest


class Killed(BaseException):
    """A worker that is no more."""


def kill_once(monkeypatch: pytest.MonkeyPatch, method: str, owner: object) -> None:
    """Let the process end where `method` would have been called."""
    whole = getattr(owner, method)
    calls: list[int] = []

    def cut(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        if len(calls) == 1:
            raise Killed
        return whole(*args, **kwargs)

    monkeypatch.setattr(owner, method, cut)
