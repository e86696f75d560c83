"""Master keys: the ring that wraps the vault's keys, from the environment or a file (Art. 32).

A ring may hold several keys. All of them open; which one seals is said by the vault, so processes
that were started with different rings never disagree about it.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import hashlib
import os
import re
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from adapters.outbound.durable import sync_directory
from services.ports import VaultLocked

KEY_BYTES = 32
MASTER = "master key"
SIGNING = "signing key"


class WrongMasterKey(Exception):
    """A master key is missing, malformed, or not one that this vault was sealed with."""


class UnknownMasterKey(WrongMasterKey, VaultLocked):
    """What is to be opened was sealed with a master key that this process was not given."""


@dataclass(frozen=True, slots=True, repr=False)
class MasterKey:
    key: bytes
    id: str = field(init=False, compare=False)
    """Names the key without telling anything about it."""

    def __post_init__(self) -> None:
        digest = hashlib.sha256(b"trettio master key id" + self.key).hexdigest()
        object.__setattr__(self, "id", digest[:16])


@dataclass(frozen=True, slots=True, repr=False)
class MasterKeys:
    """A ring: the key that is to seal, and others that still open."""

    current: MasterKey
    older: tuple[MasterKey, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(key.id for key in (self.current, *self.older))

    def by_id(self, key_id: str) -> MasterKey | None:
        return next((key for key in (self.current, *self.older) if key.id == key_id), None)


def load_master_keys(
    *,
    value: str | None = None,
    path: Path | None = None,
    generate: bool = False,
    what: str = MASTER,
) -> MasterKeys:
    """Master keys from a value (an environment variable's) or else from a file.

    Either holds one key per line or comma, 32 bytes in base64, the current one first. With
    `generate` a missing file is made, readable by its owner only. `what` names keys that are kept
    in the same way and are none of the vault's.
    """
    if value:
        return _ring(_parsed(value, _variable(what)))
    if path is None:
        raise WrongMasterKey(f"no {what} is given: neither a value nor a file")
    if generate and not path.exists():
        with suppress(FileExistsError):
            _write_new(path, [_fresh()], what)
    return _ring(_read(path, what))


def add_master_key(path: Path, what: str = MASTER) -> MasterKey:
    """Put a fresh key at the head of a file's ring; a missing file is made."""
    with _alone_with(path, what):
        new = _fresh()
        if path.exists():
            _replace(path, [new, *_read(path, what)], what)
        else:
            _write_new(path, [new], what)
        return new


def keep_master_key(path: Path, key: MasterKey) -> bool:
    """Put a recovered key at the end of a file's ring; False when it was there already."""
    with _alone_with(path):
        if not path.exists():
            _write_new(path, [key])
            return True
        keys = _read(path)
        if key in keys:
            return False
        _replace(path, [*keys, key])
        return True


def drop_master_key(path: Path, key_id: str) -> None:
    """Take a key out of a file's ring. The last one stays."""
    with _alone_with(path):
        keys = _read(path)
        left = [key for key in keys if key.id != key_id]
        if len(left) == len(keys):
            raise WrongMasterKey(f"the master key file {path} holds no key {key_id}")
        if not left:
            raise WrongMasterKey(f"key {key_id} is the only one in {path}: make another one first")
        _replace(path, left)


# What is written


def _ring(keys: Sequence[MasterKey]) -> MasterKeys:
    return MasterKeys(keys[0], tuple(keys[1:]))


def _fresh() -> MasterKey:
    return MasterKey(secrets.token_bytes(KEY_BYTES))


def _variable(what: str) -> str:
    return f"TRETTIO_{what.upper().replace(' ', '_')}"


def _parsed(text: str, source: str) -> list[MasterKey]:
    keys = []
    for word in re.split(r"[\s,]+", text.strip(" \t\r\n,")):
        try:
            key = base64.b64decode(word, validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != KEY_BYTES:
            raise WrongMasterKey(f"{source} must be {KEY_BYTES} random bytes in base64")
        keys.append(MasterKey(key))
    return keys


def _written(keys: Sequence[MasterKey]) -> bytes:
    return b"".join(base64.b64encode(key.key) + b"\n" for key in keys)


# Files


def _read(path: Path, what: str = MASTER) -> list[MasterKey]:
    try:
        found = path.stat()
        text = path.read_text("ascii")
    except FileNotFoundError:
        raise WrongMasterKey(
            f"the {what} file {path} does not exist: make it, or correct {_variable(what)}_FILE"
        ) from None
    except OSError as error:
        raise WrongMasterKey(f"the {what} file {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:  # whose message would quote what it could not read
        raise WrongMasterKey(f"the {what} file {path} is not text in ASCII") from None
    # Container platforms hand a secret to a process through its group: the owner is another.
    for_group = 0 if found.st_uid == os.geteuid() else 0o040
    if stat.S_IMODE(found.st_mode) & 0o077 & ~for_group:
        raise WrongMasterKey(f"others may read the {what} file {path}; run: chmod 600 {path}")
    return _parsed(text, f"the {what} file {path}")


def _write_new(path: Path, keys: Sequence[MasterKey], what: str = MASTER) -> None:
    """Complete or absent, and never replaced: a link into place fails if somebody was faster."""
    with _cannot_write(path, what):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _beside(path, keys) as making:
            os.link(making, path)
        sync_directory(path.parent)


def _replace(path: Path, keys: Sequence[MasterKey], what: str = MASTER) -> None:
    """The old ring or the new one, never half of either, with the owner it had."""
    with _cannot_write(path, what):
        path = path.resolve()
        owner = path.stat()
        with _beside(path, keys) as making:
            if (owner.st_uid, owner.st_gid) != (os.geteuid(), os.getegid()):
                os.chown(making, owner.st_uid, owner.st_gid)
            making.chmod(stat.S_IMODE(owner.st_mode))
            making.replace(path)
        sync_directory(path.parent)


@contextmanager
def _cannot_write(path: Path, what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if isinstance(error, FileExistsError) and path.exists():
            raise  # somebody else was faster
        raise WrongMasterKey(
            f"the {what} file {path} cannot be written ({error.strerror}): its directory must"
            " be writable here, and in a container mounted as a directory"
        ) from None


@contextmanager
def _beside(path: Path, keys: Sequence[MasterKey]) -> Iterator[Path]:
    making = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, _written(keys))
        os.fsync(descriptor)
        yield making
    finally:
        os.close(descriptor)
        making.unlink(missing_ok=True)


@contextmanager
def _alone_with(path: Path, what: str = MASTER) -> Iterator[None]:
    """One process at a time changes the files of a directory."""
    with _cannot_write(path, what):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)
