"""`/schemas/…`: the published form of what a person takes along, open to everybody (Art. 20)."""

from __future__ import annotations

from functools import cache

from fastapi import APIRouter, Response

from services.portability import SCHEMA

router = APIRouter(prefix="/schemas", include_in_schema=False)


@router.get(f"/{SCHEMA.name}")
def portability() -> Response:
    return Response(_text(), media_type="application/schema+json")


@cache
def _text() -> str:
    return SCHEMA.read_text(encoding="utf-8")
