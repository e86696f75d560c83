"""A process that folds the log of a database into its evidence chain until it is killed."""

from __future__ import annotations

import sys
from pathlib import Path
from threading import Event

from adapters.outbound.database import Database
from tests.support.chained import Chained

EVERY_LINKS = 256

if __name__ == "__main__":
    with Database(sys.argv[1]) as database:
        Chained(database, Path(sys.argv[2]), every_links=EVERY_LINKS).chain().run(Event())
