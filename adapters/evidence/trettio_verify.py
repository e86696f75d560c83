#!/usr/bin/env python3
"""Checks what Trettio has recorded, offline (GDPR Art. 5(2)): this file and `cryptography` suffice.

    python trettio_verify.py pack.zip --key public.pem

It shares no code with the program that wrote the pack; `trettio verify` runs this very file.

Every event of the log becomes a LINK: SHA-256 over its position, the aggregate it belongs to, its
version there, when it was recorded, its topic, and the digest of what it says. A run of positions
that stayed empty becomes a link too. The HEAD of the chain is the digest of the head before and the
next link. From time to time the head is written into a STATEMENT: a line of JSON, signed with
Ed25519, that also holds the digest of the statement before. Whoever changes, removes, inserts or
moves an event must change every statement after it, which takes the key.

A pack holds the events of one case as they are stored, digests of the links between them, the
statements before and after, and documents whose digests are signed. Without --key it is checked
against itself only: compare the fingerprint shown with one that you were told in another way.
Ends with 0: verified; 1: faults; 2: no fault, but no key was given.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import struct
import sys
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

FORMAT = "trettio-evidence-1"
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017 (older Pythons run this too)
LARGEST = 512 * 1024 * 1024
UNSIGNED = {"signature", "vouched", "digest"}
KEYS = {"key": ("public", "vouched_by"), "checkpoint": (), "restored": ()}
SHAPES: dict[str, dict[str, type]] = {
    "manifest.json": {"files": dict, "format": str, "key": str},
    "chain.json": {"statements": list, "segments": list},
    "events.json": {"events": list},
}
MISSHAPEN = (LookupError, TypeError, ValueError, ArithmeticError, RecursionError, struct.error)


class Event(NamedTuple):
    position: int
    aggregate: UUID
    version: int
    topic: str
    recorded_at: datetime
    state: bytes


class Fault(NamedTuple):
    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


def event_link(event: Event) -> bytes:
    topic = event.topic.encode()
    moment = (event.recorded_at - EPOCH) // timedelta(microseconds=1)
    state = hashlib.sha256(event.state).digest()
    where = struct.pack(">cq16sq", b"E", event.position, event.aggregate.bytes, event.version)
    return hashlib.sha256(where + struct.pack(">qH", moment, len(topic)) + topic + state).digest()


def next_head(head: bytes, link: bytes) -> bytes:
    return hashlib.sha256(b"L" + head + link).digest()


def canonical(body: dict[str, Any]) -> str:
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def fingerprint(public: str) -> str:
    return hashlib.sha256(bytes.fromhex(public)).hexdigest()


def is_signed(body: dict[str, Any], public: str, name: str = "signature") -> bool:
    text = canonical({k: v for k, v in body.items() if k not in UNSIGNED})
    try:
        signature = bytes.fromhex(body[name])
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        key.verify(signature, text.encode())
    except (InvalidSignature, KeyError, TypeError, ValueError):
        return False
    return bool(signature.hex() == body[name])


def read_statements(lines: Sequence[str]) -> tuple[list[dict[str, Any]], list[Fault]]:
    found, faults = [], []
    for number, line in enumerate(lines, start=1):
        try:
            body = json.loads(line)
            shape = UUID(body["incarnation"]), datetime.fromisoformat(body["at"])
            whole = body["kind"] in KEYS and all(shape)
            counts = body["number"] > 0 <= body["position"] and len(bytes.fromhex(body["head"]))
            words = body["key"], body["previous"], *(body[one] for one in KEYS[body["kind"]])
            whole = whole and all(isinstance(one, str) for one in words)
            fingerprint(body.get("public", ""))
        except MISSHAPEN:
            whole, counts = False, 0
        if whole and counts == 32 and canonical(body) == line and "digest" not in body:
            found.append({**body, "digest": hashlib.sha256(line.encode()).hexdigest()})
        else:
            faults.append(Fault(f"statement in line {number}", "it cannot be read"))
    return found, faults


def check_statements(
    statements: Sequence[dict[str, Any]], trusted: Collection[str], *, whole: bool
) -> tuple[set[str], list[Fault]]:
    """Which keys are good, by the fingerprints that are trusted, and what is wrong.

    Only a `whole` log has all statements, from the first on.
    """
    faults, public, good = [], dict[str, str](), set(trusted)
    keys = [one for one in statements if one["kind"] == "key"]
    for one in keys:
        if fingerprint(one["public"]) == one["key"] and is_signed(one, one["public"]):
            public[one["key"]] = one["public"]
    for one in keys * len(keys):  # the old key vouches for the next, and this says whom it follows
        pair = {one["key"], one["vouched_by"]}
        if pair & good and pair <= public.keys():
            good |= pair if is_signed(one, public[one["vouched_by"]], "vouched") else set()
    for place, one in enumerate(statements):
        where = f"statement {one['number']} (position {one['position']})"
        if not is_signed(one, public.get(one["key"], "")):
            faults.append(Fault(where, "its signature is wrong: it was changed, or never signed"))
        elif trusted and one["key"] not in good:
            faults.append(Fault(where, f"key {one['key'][:8]} signed it: not one that you trust"))
        before: dict[str, Any] = statements[place - 1] if place else {"number": 0, "digest": ""}
        if one["number"] == before["number"] + 1 and one["previous"] != before["digest"]:
            faults.append(Fault(where, "the statement before it is not the one it follows"))
        elif one["number"] <= before["number"] or (whole and one["number"] != place + 1):
            faults.append(Fault(where, "it stands out of order, or others are missing before it"))
    return good, faults


def in_force(statements: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without those about events that a restored backup has lost, which a statement admits."""
    kept, limit = list[dict[str, Any]](), sys.maxsize
    for one in (one for one in reversed(statements) if one["position"] <= limit):
        kept.append(one)
        limit = one["position"] if one["kind"] == "restored" else limit
    return kept[::-1]


def check_pack(path: Path, trusted: Collection[str]) -> tuple[str, list[Fault]]:
    """The fingerprint of the key that sealed a pack, and everything that is wrong with it."""
    try:
        with zipfile.ZipFile(path) as pack:
            sizes = {one.filename: one.file_size for one in pack.infolist()}
            if len(sizes) != len(pack.infolist()) or sum(sizes.values()) > LARGEST:
                return "", [Fault(str(path), "it is no evidence pack")]
            content = {name: pack.read(name) for name in sizes}
    except (OSError, zipfile.BadZipFile, zlib.error, RuntimeError, ValueError, EOFError) as error:
        return "", [Fault(str(path), f"it is no evidence pack, or a damaged one: {error}")]
    read, faults = _read(content)
    if faults:
        return "", faults
    return read["manifest.json"]["key"], list(_faults(read, content, trusted))


def _read(content: dict[str, bytes]) -> tuple[dict[str, Any], list[Fault]]:
    read, faults = dict[str, Any](), list[Fault]()
    for name, shape in SHAPES.items():
        if name not in content:
            faults.append(Fault(name, "it is missing from the pack, so nothing more was checked"))
            continue
        try:
            read[name] = json.loads(content[name])
            if not all(isinstance(read[name][one], kind) for one, kind in shape.items()):
                faults.append(Fault(name, "it is not what such a file holds"))
        except MISSHAPEN as error:
            faults.append(Fault(name, f"it cannot be read, so nothing more was checked: {error}"))
    return read, faults


def _faults(
    read: dict[str, Any], content: dict[str, bytes], trusted: Collection[str]
) -> Iterator[Fault]:
    manifest, chain, events = (read[name] for name in SHAPES)
    if manifest["format"] != FORMAT:
        yield Fault("manifest.json", f"its format is not {FORMAT}: take a newer program")
    for name in sorted(manifest["files"].keys() | content.keys() - {"manifest.json"}):
        if name not in content:
            yield Fault(name, "it is missing from the pack")
        elif hashlib.sha256(content[name]).hexdigest() != manifest["files"].get(name):
            yield Fault(name, "it is not the file that was sealed")
    statements, unreadable = read_statements(chain["statements"])
    good, faults = check_statements(statements, trusted, whole=False)
    yield from (*unreadable, *faults)
    public, key = (
        {one["key"]: one["public"] for one in statements if "public" in one},
        manifest["key"],
    )
    if key not in public:
        yield Fault(
            "manifest.json", f"it is sealed with key {key[:8]}, which no statement brings in"
        )
    elif not is_signed(manifest, public[key]):
        yield Fault("manifest.json", "its signature is wrong: it was changed, or never signed")
    elif trusted and key not in good:
        yield Fault("manifest.json", f"it is sealed with key {key[:8]}: not one that you trust")
    recorded, faults = _recorded(events["events"])
    yield from faults
    yield from _chained(chain["segments"], {one["number"]: one for one in statements}, recorded)
    versions: dict[UUID, int] = {}
    for _, event in sorted(recorded.items()):
        if event.version != versions.get(event.aggregate, 0) + 1:
            what = f"version {event.version} does not follow {versions.get(event.aggregate, 0)}"
            yield Fault(f"position {event.position}", f"an event before it is missing: {what}")
        versions[event.aggregate] = event.version


def _recorded(entries: Iterable[Any]) -> tuple[dict[int, Event], list[Fault]]:
    """The events by position, in which order a pack holds them."""
    found, faults, last = dict[int, Event](), list[Fault](), 0
    for number, one in enumerate(entries, start=1):
        try:
            event_link(event := _event(one))
        except (*MISSHAPEN, AttributeError):
            faults.append(Fault(f"entry {number} of events.json", "it cannot be read as an event"))
            continue
        if event.position <= last:
            what = "two events stand here" if event.position in found else f"it stands after {last}"
            faults.append(Fault(f"position {event.position}", f"{what}: the order was changed"))
        found[event.position], last = event, event.position
    return found, faults


def _chained(
    segments: Iterable[Any], signed: dict[int, dict[str, Any]], events: dict[int, Event]
) -> Iterator[Fault]:
    unproven = set(events)
    for number, segment in enumerate(segments, start=1):
        try:
            start, end = signed[segment["from"]], signed[segment["to"]]
            links = list(_links(segment["links"]))
        except MISSHAPEN:
            yield Fault(f"segment {number} of chain.json", "it, or what it names, is unreadable")
            continue
        head = bytes.fromhex(start["head"])
        for position, link in links:
            head = next_head(head, link)
            if position in events and event_link(events[position]) != link:
                yield Fault(f"position {position}", "the event is not what was recorded")
            elif position and position not in events:
                yield Fault(f"position {position}", "the event that was recorded here is missing")
            unproven.discard(position)
        if head.hex() != end["head"]:
            place = f"positions {start['position'] + 1} to {end['position']}"
            yield Fault(place, f"the links are not those that statement {end['number']} signs")
    for position in sorted(unproven):
        yield Fault(f"position {position}", "nothing proves that this event was recorded")


def _links(parts: Iterable[Any]) -> Iterator[tuple[int, bytes]]:
    """Positions and their links; 0 with those of other cases' events, which are digests only."""
    for one in parts:
        if isinstance(one, str):
            yield from ((0, link) for (link,) in struct.iter_unpack("32s", bytes.fromhex(one)))
        else:
            yield int(one["position"]), bytes.fromhex(one["link"])


def _event(one: dict[str, Any]) -> Event:
    where = one["position"], UUID(one["aggregate"]), one["version"], one["topic"]
    return Event(*where, datetime.fromisoformat(one["recorded_at"]), one["state"].encode())


def fingerprint_of(path: Path) -> str:
    key = load_pem_public_key(path.read_bytes())
    if not isinstance(key, Ed25519PublicKey):
        raise SystemExit(f"{path} is not an Ed25519 public key")
    return fingerprint(key.public_bytes_raw().hex())


def told(fingerprint: str) -> str:
    return " ".join(fingerprint[place : place + 8] for place in range(0, 64, 8))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Checks an evidence pack of Trettio, offline.")
    parser.add_argument("pack", type=Path)
    parser.add_argument("--key", type=Path, action="append", default=[], help="a public key (PEM)")
    given = parser.parse_args(arguments)
    key, faults = check_pack(given.pack, {fingerprint_of(path) for path in given.key})
    return report(given.pack, key, faults, anchored=bool(given.key))


def report(pack: Path, key: str, faults: Sequence[Fault], *, anchored: bool) -> int:
    for fault in faults:
        print(f"FAULT  {fault}")
    if faults:
        print(f"{pack}: {len(faults)} found. This is not what was recorded.")
        return 1
    print(f"{pack}: every file, every event and every signature is as it was recorded.")
    print(f"sealed with the key {told(key)}")
    if not anchored:
        print("WHOSE KEY THAT IS was not checked: say --key, or compare this fingerprint yourself.")
    return 0 if anchored else 2


if __name__ == "__main__":
    sys.exit(main())
