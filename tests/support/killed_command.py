"""A process that sends one command to its own API and dies at the commit, as if by kill -9."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from adapters.bootstrap import installation
from adapters.inbound.app import create_app
from adapters.outbound.recorder import LogRecorder
from adapters.settings import Settings

KILLED = 9


def main(url: str, home: str, token: str, moment: str, body: str) -> None:
    insert = LogRecorder.insert_events

    def die(*given: Any, **named: Any) -> Any:
        if moment == "after":
            insert(*given, **named)
        os._exit(KILLED)

    dying: Any = die

    with installation(Settings.model_validate({"database_url": url, "home": Path(home)})) as opened:
        LogRecorder.insert_events = dying  # type: ignore[method-assign] # that is the kill
        TestClient(create_app(opened)).post(
            "/v1/requests",
            json=json.loads(body),
            headers={"Authorization": token, "Idempotency-Key": "k"},
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
