"""A double of Brevo's API: contacts, and the log of single messages."""

from __future__ import annotations

from typing import Any

from adapters.demo.doubles.server import Call, Double, Reply, route

KEY = "xkeysib-test"

_AT = "2026-11-01T12:00:00.000+01:00"

JsonObject = dict[str, Any]


class BrevoDouble(Double):
    prefix = "/v3"
    kept = ("contacts", "messages")

    def __init__(self, *, keep_exchanges: bool = False) -> None:
        super().__init__(keep_exchanges=keep_exchanges)
        self.contacts: dict[int, JsonObject] = {}
        self.messages: list[JsonObject] = []
        self._number = 0

    def add(self, email: str, name: str, phone: str) -> int:
        for number, one in self.contacts.items():
            if one["email"] == email.lower():
                return number
        self._number += 1
        self.contacts[self._number] = {
            "id": self._number,
            "email": email.lower(),
            "emailBlacklisted": False,
            "smsBlacklisted": False,
            "createdAt": _AT,
            "modifiedAt": _AT,
            "listIds": [2, 7],
            "attributes": {"FIRSTNAME": name, "SMS": phone.lstrip("+")},
            "statistics": {"opened": [{"campaignId": 3, "count": 2}]},
        }
        return self._number

    def sent(self, email: str, subject: str) -> str:
        self._number += 1
        number = f"<{self._number}.202611011200@smtp-relay.mailer.example>"
        self.messages.append(
            {"email": email.lower(), "subject": subject, "messageId": number, "date": _AT}
            | {"uuid": f"uuid-{self._number}", "from": "post@venue.example", "tags": ["ticket"]}
        )
        return number

    # Answers

    def unauthorised(self, call: Call) -> Reply | None:
        if call.headers.get("Api-Key") == KEY:
            return None
        return Reply(401, {"code": "unauthorized", "message": "Key not found"})

    @route("GET", "/smtp/emails")
    def _sent(self, call: Call) -> Reply:
        offset, limit = int(call.one("offset", "0")), int(call.one("limit", "500"))
        found = [one for one in self.messages if one["email"] == call.one("email").lower()]
        page = found[offset : offset + limit]
        return Reply(200, {"count": len(found), "transactionalEmails": page})

    @route("DELETE", "/smtp/log/{id}")
    def _forget(self, call: Call) -> Reply:
        left = [one for one in self.messages if one["messageId"] != call.names["id"]]
        gone, self.messages = len(self.messages) - len(left), left
        return Reply(204) if gone else _not_found()

    @route("GET", "/contacts")
    def _everybody(self, call: Call) -> Reply:
        offset, limit = int(call.one("offset", "0")), int(call.one("limit", "50"))
        every = [
            {name: value for name, value in one.items() if name != "statistics"}
            for one in self.contacts.values()
        ]
        return Reply(200, {"count": len(every), "contacts": every[offset : offset + limit]})

    @route("GET", "/contacts/{id}")
    def _contact(self, call: Call) -> Reply:
        found = self._named(call)
        return Reply(200, found) if found else _not_found()

    @route("PUT", "/contacts/{id}")
    def _write(self, call: Call) -> Reply:
        found, body = self._named(call), call.json()
        if found is None:
            return _not_found()
        written = dict(body.pop("attributes", {}))
        found["email"] = written.pop("EMAIL", found["email"])
        found["attributes"].update(written)
        found.update(body)
        return Reply(204)

    @route("DELETE", "/contacts/{id}")
    def _erase(self, call: Call) -> Reply:
        found = self._named(call)
        if found is None:
            return _not_found()
        del self.contacts[found["id"]]
        return Reply(204)

    def _named(self, call: Call) -> JsonObject | None:
        value = call.names["id"]
        match call.one("identifierType"):
            case "email_id":
                held = ((one["email"], one) for one in self.contacts.values())
                value = value.lower()
            case "phone_id":
                held = ((one["attributes"]["SMS"], one) for one in self.contacts.values())
                value = value.lstrip("+")
            case _:
                held = ((str(one["id"]), one) for one in self.contacts.values())
        return next((one for known, one in held if known == value), None)


def _not_found() -> Reply:
    return Reply(404, {"code": "document_not_found", "message": "Contact does not exist"})
