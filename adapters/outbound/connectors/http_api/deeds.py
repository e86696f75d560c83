"""What is done with one record, and what the system's answer to it means (Art. 17, 21(2)).

An answer that no rule fits is believed by nobody: with a status of success it is garbled, with any
other a refusal. The worker reads back before it believes the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from http import HTTPStatus

from pydantic import JsonValue

from adapters.outbound.answers import civil_date
from adapters.outbound.connectors.http_api import description as described
from adapters.outbound.connectors.http_api.calls import Caller, fits, holds
from adapters.outbound.connectors.http_api.pointers import (
    Missing,
    at,
    day_at,
    document,
    text_at,
)
from adapters.outbound.connectors.http_api.records import level_of
from adapters.outbound.http import Response
from domain.vocabulary import Outcome
from services.matching import Matcher
from services.ports import (
    AwaitsPerson,
    Garbled,
    Person,
    Refused,
    Residual,
    Result,
    Unavailable,
)

_SUCCESS = (HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.ACCEPTED, HTTPStatus.NO_CONTENT)
GONE = Result(Outcome.NOT_FOUND, "already-gone")


class Deeds:
    def __init__(self, caller: Caller, clock: Callable[[], datetime]) -> None:
        self._caller, self._clock = caller, clock

    def treat(
        self, treatment: described.Treatment, record: str, person: Person, *, key: str
    ) -> Result:
        """Look at the record, do what is to be done, and say what became of it."""
        values: dict[str, str] = {described.KEY: record}
        seen: JsonValue = None
        if treatment.look is not None:
            found = self.look(treatment.look, record, person)
            if isinstance(found, Missing):
                return GONE
            seen = found
            values |= {n: text_at(seen, place) for n, place in treatment.look.takes.items()}
        for rule in treatment.before:
            if holds(rule, seen):
                return self._result(rule, None)
        if treatment.always is not None:
            return self._result(treatment.always, None)
        if treatment.check is not None and holds(treatment.check, seen):
            return self._as_before(treatment)
        result = self._do(treatment, values, seen, key=key)
        if treatment.look is not None and treatment.check is not None:
            found = self.look(treatment.look, record, person)
            if not isinstance(found, Missing) and not holds(treatment.check, found):
                raise Refused("the system says that it is done, and shows that it is not")
        return result

    def look(
        self, look: described.LookFirst, record: str, person: Person | None
    ) -> JsonValue | Missing:
        """The record as it is now; missing where it is gone. Whose it is may have changed."""
        expect = (HTTPStatus.OK, *look.gone)
        response = self._caller.call(look, {described.KEY: record}, expect=expect)
        if response.status in look.gone:
            return Missing()
        seen = document(response)
        if not isinstance(seen, dict):
            raise Garbled("answer is not a JSON object")
        if person is None or not look.matches:
            return seen
        if level_of(Matcher(person), look.matches, seen) is None:
            raise Refused("the record has changed since it was found: look again")
        return seen

    def once(
        self,
        deed: described.Deed,
        values: Mapping[str, str],
        seen: JsonValue,
        *,
        key: str | None,
        body: JsonValue = None,
    ) -> tuple[described.Rule, Response]:
        """Make one call, and find the rule that says what its answer means."""
        statuses = {status for rule in deed.outcomes for status in rule.status}
        response = self._caller.call(
            deed,
            values,
            key=key,
            expect={*_SUCCESS, *statuses},
            look=lambda place: value_at(seen, place),
            body=body,
        )
        for rule in deed.outcomes:
            if fits(rule, response):
                return rule, response
        if response.status in _SUCCESS:
            raise Garbled(f"no outcome is described for this answer (status {response.status})")
        raise Refused(f"no outcome is described for this answer (status {response.status})")

    def _do(
        self,
        treatment: described.Treatment,
        values: Mapping[str, str],
        seen: JsonValue,
        *,
        key: str,
    ) -> Result:
        for number, deed in enumerate(treatment.deeds):
            rule, response = self.once(deed, values, seen, key=f"{key}/{number}")
            if rule.then != "next":
                return self._result(rule, response)
        raise Refused("the last deed says that another follows")  # a description cannot say so

    def _as_before(self, treatment: described.Treatment) -> Result:
        """What the deeds would have come to, had they not been done before."""
        rules = [rule for rule in treatment.deeds[-1].outcomes if rule.then in described.OUTCOMES]
        return self._result(rules[0], None)

    def _result(self, rule: described.Meaning, response: Response | None) -> Result:
        now = self._clock()
        match rule.then:
            case "refused":
                raise Refused(f"the system refused (status {response.status if response else 0})")
            case "try-later":
                raise Unavailable("the system says: later")
            case "by-hand":
                raise AwaitsPerson(rule.what or "refused")
            case _:
                pass
        residuals = tuple(_residual(left, now) for left in rule.residuals)
        detail = rule.detail or rule.then
        if rule.job is not None and response is not None:
            return self._follow(rule, rule.job, response, detail, residuals)
        if rule.then == "pending":
            return self._pending(rule, detail, residuals, None)
        until: date | None = None
        if rule.until is not None and response is not None:
            until = day_at(document(response), rule.until)
        if until is None and rule.days is not None:
            until = civil_date(now + timedelta(days=rule.days))
        outcome = described.OUTCOMES[rule.then]
        return Result(outcome, detail, residuals, ground=rule.ground, until=until)

    def _follow(
        self,
        rule: described.Meaning,
        job: described.Job,
        response: Response,
        detail: str,
        residuals: tuple[Residual, ...],
    ) -> Result:
        """Ask after the vendor's job a few times; what is not done by then is looked at later."""
        number = text_at(document(response), job.id)
        call = described.Call(path=job.path)
        for _ in range(job.tries):
            state = at(document(self._caller.call(call, {"job": number})), job.state)
            if _is_one_of(state, job.done):
                return Result(described.OUTCOMES[job.then], detail, residuals)
            if _is_one_of(state, job.failed):
                raise Refused("the vendor's job failed")
            if isinstance(state, Missing):
                raise Garbled(f"answer has no state at {job.state}")
            self._caller.pause(job.pause)
        return self._pending(rule, detail, residuals, number)

    def _pending(
        self, rule: described.Meaning, detail: str, residuals: tuple[Residual, ...], job: str | None
    ) -> Result:
        return Result(
            Outcome.PENDING_AT_VENDOR,
            detail,
            residuals,
            not_before=self._clock() + timedelta(hours=rule.hours or 1),
            vendor_job=job,
        )


def _is_one_of(state: object, values: tuple[described.Scalar, ...]) -> bool:
    return any(type(state) is type(one) and state == one for one in values)


def value_at(seen: JsonValue, place: str) -> JsonValue:
    found = at(seen, place)
    return None if isinstance(found, Missing) else found


def _residual(left: described.Left, now: datetime) -> Residual:
    until = civil_date(now + timedelta(days=left.days)) if left.days is not None else None
    return Residual(left.what, left.why, until)
