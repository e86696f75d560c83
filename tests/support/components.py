"""Foreign components that tests meet for real: where they are cached, and what happens without."""

from __future__ import annotations

import fcntl
import os
import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest


def unavailable(component: str, hint: str) -> NoReturn:
    """Skip the test and say in one line what to install; fail where everything must run."""
    message = f"{component} is not available: {hint}"
    if os.environ.get("TRETTIO_REQUIRE") == "all":
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


def cache() -> Path:
    """Where downloaded and prepared components stay between sessions."""
    folder = Path(os.environ.get("TRETTIO_TEST_CACHE") or "~/.cache/trettio-components")
    folder = folder.expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def alone_with(path: Path) -> Iterator[None]:
    """Let one process at a time prepare what `path` will hold; the others wait for it."""
    with path.with_name(path.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def free_port() -> int:
    """A port to listen on later: below those that systems lend to outgoing connections."""
    while True:
        port = random.randrange(15_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
