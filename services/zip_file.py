"""ZIP files written piece by piece: the same facts give the same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from hashlib import sha256
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo


class Entries:
    """Writes entries with one fixed time, so that the same facts give the same bytes."""

    def __init__(self, package: ZipFile, day: date) -> None:
        self._package, self._day = package, day

    def write(self, name: str, chunks: Iterable[str]) -> None:
        info = ZipInfo(name, (self._day.year, self._day.month, self._day.day, 0, 0, 0))
        info.compress_type = ZIP_DEFLATED
        info.create_system = 3
        info.external_attr = 0o600 << 16
        with self._package.open(info, "w", force_zip64=True) as entry:
            for text in _gathered(chunks):
                # A lone surrogate would stop the whole answer.
                entry.write(text.encode("utf-8", errors="replace"))


def _gathered(chunks: Iterable[str]) -> Iterator[str]:
    """The same text in larger pieces: each piece costs a call to the compressor."""
    held: list[str] = []
    size = 0
    for chunk in chunks:
        held.append(chunk)
        size += len(chunk)
        if size >= _PIECE:
            yield "".join(held)
            held.clear()
            size = 0
    yield "".join(held)


_PIECE = 32_768


class Counted:
    """Counts and digests on the way to the file; without `tell`, so the ZIP never seeks."""

    def __init__(self, out: BinaryIO) -> None:
        self._out, self.digest, self.size = out, sha256(), 0

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        self.size += len(data)
        self._out.write(data)
        return len(data)

    def flush(self) -> None:
        self._out.flush()

    def close(self) -> None:
        """The file is the caller's to close."""
