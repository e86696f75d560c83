"""Stripe: correct a customer, and mark one whose data is kept and not used (Art. 16, 18).

The mark is a line of the customer's metadata, which whoever opens the customer sees. Charges and
invoices cannot be changed at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Protocol

from adapters.outbound.http import Response
from domain.vocabulary import Outcome
from services.ports import AwaitsPerson, Correction, Person, Refused, Result

CUSTOMER = "/v1/customers/{customer}"
MARK = {"restricted": "GDPR Art. 18: keep, do not use"}
BY_HAND = "rectify-by-hand"
STATEMENT_NOT_HELD = "statement-not-held"
_WRITABLE = {"email", "name", "phone", "description"}


class Call(Protocol):
    def __call__(
        self,
        method: str,
        template: str,
        *,
        path: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        expect: tuple[int, ...] = (200,),
    ) -> Response: ...


class Changes:
    """What is changed in customers that stay; `theirs` are ids that are certainly the person's."""

    def __init__(self, call: Call, theirs: Callable[[Person], Iterator[str]]) -> None:
        self._call, self._theirs = call, theirs

    def rectify(self, correction: Correction) -> Result:
        if correction.kind != "customer" or not set(correction.fields) <= _WRITABLE:
            raise AwaitsPerson(BY_HAND)
        form = {field: to or "" for field, to in correction.fields.items()}
        if form:
            path = {"customer": correction.key}
            answer = self._call("POST", CUSTOMER, path=path, form=form, expect=(200, 404))
            if answer.status == HTTPStatus.NOT_FOUND:
                raise Refused("the customer is not there any more")
        return Result(Outcome.RECTIFIED, STATEMENT_NOT_HELD if correction.statement else "")

    def restrict(self, person: Person) -> Result:
        customers = list(self._theirs(person))
        for customer in customers:
            self._mark(customer, MARK)
        return Result(Outcome.RESTRICTED, "marked") if customers else Result(Outcome.NOT_FOUND)

    def is_restricted(self, person: Person) -> bool:
        return all(map(self._is_marked, self._theirs(person)))

    def unrestrict(self, person: Person) -> Result:
        for customer in self._theirs(person):
            self._mark(customer, dict.fromkeys(MARK, ""))
        return Result(Outcome.INFORMED, "mark-removed")

    def _mark(self, customer: str, mark: Mapping[str, str]) -> None:
        form = {f"metadata[{name}]": value for name, value in mark.items()}
        self._call("POST", CUSTOMER, path={"customer": customer}, form=form)

    def _is_marked(self, customer: str) -> bool:
        found = self._call("GET", CUSTOMER, path={"customer": customer}).object()
        metadata = found.get("metadata")
        return isinstance(metadata, Mapping) and MARK.items() <= metadata.items()
