"""Style sheets and scripts: kept by browsers for a year, because a change changes their address."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from os import PathLike, stat_result
from pathlib import Path
from urllib.parse import parse_qs

from fastapi import Response
from fastapi.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).with_name("static")
FOR_GOOD = "public, max-age=31536000, immutable"


def asset(name: str) -> str:
    """The address of a file as it is now."""
    return f"/static/{name}?v={_digest(name)}"


@cache
def _digest(name: str) -> str:
    return sha256((STATIC / name).read_bytes()).hexdigest()[:12]


class Assets(StaticFiles):
    """Files that browsers may keep, where their address says which version they asked for."""

    def __init__(self) -> None:
        super().__init__(directory=STATIC)

    def file_response(
        self,
        full_path: str | PathLike[str],
        stat_result: stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        asked = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("v")
        name = Path(full_path).relative_to(STATIC.resolve()).as_posix()
        response.headers["Cache-Control"] = FOR_GOOD if asked == [_digest(name)] else "no-cache"
        return response
