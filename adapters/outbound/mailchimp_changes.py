"""Mailchimp: correct a member's fields, and mark a member so that nobody uses it (Art. 16, 18).

A restricted member carries a tag and gets no mail; a second tag remembers that the restriction
itself unsubscribed it, so that lifting it puts back what was there and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import md5
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import unquote

from adapters.outbound.http import Response
from domain.vocabulary import IdentifierKind, Outcome
from services.ports import AwaitsPerson, Correction, Person, Refused, Result

MEMBER = "/lists/{list}/members/{member}"
TAG = "Restricted (Art. 18)"
WAS_SUBSCRIBED = "Restricted (Art. 18): was subscribed"
BY_HAND = "rectify-by-hand"
LONGEST_NOTE = 1_000
_WRITTEN_TO = {"subscribed", "pending"}


class Call(Protocol):
    def __call__(
        self,
        method: str,
        template: str,
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, object] | None = None,
        json: object | None = None,
        expect: tuple[int, ...] = (200,),
    ) -> Response: ...


class Changes:
    """What is changed in members that stay."""

    def __init__(self, call: Call, audiences: Callable[[], Iterable[str]]) -> None:
        self._call, self._audiences = call, audiences

    def rectify(self, correction: Correction) -> Result:
        """Write the fields of one member; a note holds the person's own statement."""
        if correction.kind != "member":
            raise AwaitsPerson(BY_HAND)
        list_id, _, fingerprint = correction.key.partition("/")
        list_id, fingerprint = unquote(list_id), unquote(fingerprint)
        member = self._member(list_id, fingerprint)
        new_address = correction.fields.get("email")
        if member is None and new_address:  # an earlier try has filed it under the new address
            fingerprint = fingerprint_of(new_address)
            member = self._member(list_id, fingerprint)
        if member is None:
            raise Refused("the member is not there any more")
        changed = self._changed(list_id, member, correction.fields)
        path = {"list": list_id, "member": fingerprint}
        if correction.statement:
            if len(correction.statement) > LONGEST_NOTE:
                raise AwaitsPerson(BY_HAND)
            self._add_note(path, correction.statement)
        if changed:
            self._call("PATCH", MEMBER, path=path, json=changed)
        return Result(Outcome.RECTIFIED)

    def _changed(
        self, list_id: str, member: Mapping[str, Any], fields: Mapping[str, str | None]
    ) -> dict[str, object]:
        changed: dict[str, object] = {}
        merged: dict[str, object] = {}
        tags: dict[str, str] | None = None
        for field, value in fields.items():
            if field == "email" and value:
                changed["email_address"] = value
            elif field == "language":
                changed["language"] = value or ""
            elif field.startswith("profile."):
                tags = tags if tags is not None else self._tags_of_names(list_id)
                name = field.removeprefix("profile.")
                merged[tags.get(name, name)] = value or ""
            else:
                raise AwaitsPerson(BY_HAND)
        if merged:
            changed["merge_fields"] = {**(member.get("merge_fields") or {}), **merged}
        return changed

    def _tags_of_names(self, list_id: str) -> dict[str, str]:
        answer = self._call(
            "GET", "/lists/{list}/merge-fields", path={"list": list_id}, query={"count": 1_000}
        )
        return {one["name"]: one["tag"] for one in answer.object().get("merge_fields", [])}

    def _add_note(self, path: Mapping[str, str], text: str) -> None:
        template = f"{MEMBER}/notes"
        notes = self._call("GET", template, path=path, query={"count": 1_000}).object()
        if all(note.get("note") != text for note in notes.get("notes", [])):
            self._call("POST", template, path=path, json={"note": text})

    # Restriction

    def restrict(self, person: Person) -> Result:
        marked = False
        for path, member in self._members(person):
            marked = True
            if TAG not in _tags(member):
                names = {TAG} | ({WAS_SUBSCRIBED} if member["status"] in _WRITTEN_TO else set())
                self._tag(path, names, "active")
            if member["status"] in _WRITTEN_TO:
                self._call("PATCH", MEMBER, path=path, json={"status": "unsubscribed"})
        return Result(Outcome.RESTRICTED, "tagged") if marked else Result(Outcome.NOT_FOUND)

    def is_restricted(self, person: Person) -> bool:
        return all(
            TAG in _tags(member) and member["status"] not in _WRITTEN_TO
            for _, member in self._members(person)
        )

    def unrestrict(self, person: Person) -> Result:
        for path, member in self._members(person):
            if TAG not in _tags(member):
                continue
            if WAS_SUBSCRIBED in _tags(member):
                self._call("PATCH", MEMBER, path=path, json={"status": "subscribed"})
            self._tag(path, {TAG, WAS_SUBSCRIBED}, "inactive")
        return Result(Outcome.INFORMED, "tag-removed")

    def _members(self, person: Person) -> Iterator[tuple[dict[str, str], Mapping[str, Any]]]:
        for list_id in self._audiences():
            for address in dict.fromkeys(a.lower() for a in person.all(IdentifierKind.EMAIL)):
                path = {"list": list_id, "member": fingerprint_of(address)}
                member = self._member(list_id, path["member"])
                if member is not None:
                    yield path, member

    def _member(self, list_id: str, fingerprint: str) -> Mapping[str, Any] | None:
        path = {"list": list_id, "member": fingerprint}
        answer = self._call("GET", MEMBER, path=path, expect=(200, 404))
        return None if answer.status == HTTPStatus.NOT_FOUND else answer.object()

    def _tag(self, path: Mapping[str, str], names: set[str], status: str) -> None:
        tags = [{"name": name, "status": status} for name in sorted(names)]
        self._call("POST", f"{MEMBER}/tags", path=path, json={"tags": tags}, expect=(200, 204))


def fingerprint_of(address: str) -> str:
    written = address.strip().lower().encode(errors="surrogatepass")
    return md5(written, usedforsecurity=False).hexdigest()


def _tags(member: Mapping[str, Any]) -> set[str]:
    return {str(tag.get("name")) for tag in member.get("tags") or []}
