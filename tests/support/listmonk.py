"""A double of listmonk's API: subscribers, their lists, bounces, and what they opened.

Like the real one it searches by an SQL expression, keeps addresses in small letters, and answers
"true" for erasing a subscriber who is not there.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from adapters.demo.doubles.server import Call, Double, Reply, route

USER, TOKEN = "trettio", "api-token"

_QUERY = re.compile(r"LOWER\(subscribers\.email\) = '((?:[^']|'')*)'", re.DOTALL)
_AT = "2026-03-01T12:00:00.000000Z"

JsonObject = dict[str, Any]


class ListmonkDouble(Double):
    kept = ("subscribers", "bounces", "views")
    lists: ClassVar = {1: "News", 2: "Club"}

    def __init__(self, *, keep_exchanges: bool = False) -> None:
        super().__init__(keep_exchanges=keep_exchanges)
        self.subscribers: dict[int, JsonObject] = {}
        self.bounces: dict[int, JsonObject] = {}
        self.views: list[JsonObject] = []
        self._number = 0

    def add(self, email: str, name: str, **attribs: object) -> int:
        """A subscriber on every list, who has opened a letter and been out of reach once."""
        stored = email.lower()
        for number, one in self.subscribers.items():
            if one["email"] == stored:
                return number
        number = self._next()
        self.subscribers[number] = {
            "id": number,
            "uuid": f"00000000-0000-4000-8000-{number:012}",
            "email": stored,
            "name": name,
            "attribs": attribs,
            "status": "enabled",
            "created_at": _AT,
            "updated_at": _AT,
            "lists": [
                {"id": i, "name": n, "subscription_status": "confirmed", "tags": []}
                for i, n in self.lists.items()
            ],
        }
        self.views.append({"subscriber": number, "campaign": "Spring", "views": 2})
        return number

    def bounce(self, subscriber: int) -> int:
        number = self._next()
        self.bounces[number] = {
            "id": number,
            "type": "soft",
            "source": "webhook",
            "meta": {"status": "4.2.2"},
            "created_at": _AT,
            "email": self.subscribers[subscriber]["email"],
            "subscriber_id": subscriber,
            "campaign": {"id": 1, "name": "Spring"},
        }
        return number

    def _next(self) -> int:
        self._number += 1
        return self._number

    # Answers

    def unauthorised(self, call: Call) -> Reply | None:
        if call.headers.get("Authorization") == f"token {USER}:{TOKEN}":
            return None
        return Reply(403, {"message": "invalid API credentials"})

    @route("GET", "/api/subscribers")
    def _search(self, call: Call) -> Reply:
        asked = _QUERY.fullmatch(call.one("query"))
        if asked is None and call.one("query"):
            return Reply(400, {"message": "error preparing subscriber query"})
        wanted = asked[1].replace("''", "'") if asked else None
        page, size = int(call.one("page", "1")), int(call.one("per_page", "20"))
        found = [s for s in self.subscribers.values() if wanted in {None, s["email"].lower()}]
        results = found[(page - 1) * size : page * size]
        return _data(
            {"results": results, "query": "", "total": len(found), "per_page": size, "page": page}
        )

    @route("GET", "/api/subscribers/{id}")
    def _one(self, call: Call) -> Reply:
        found = self._subscriber(call)
        return _data(found) if found else Reply(400, {"message": "Subscriber not found"})

    @route("PUT", "/api/subscribers/{id}")
    def _write(self, call: Call) -> Reply:
        found, body = self._subscriber(call), call.json()
        if found is None:
            return Reply(400, {"message": "Subscriber not found"})
        found.update({name: body[name] for name in ("email", "name", "status", "attribs")})
        found["lists"] = [one for one in found["lists"] if one["id"] in body["lists"]]
        return _data(found)

    @route("DELETE", "/api/subscribers/{id}")
    def _erase(self, call: Call) -> Reply:
        number = int(call.names["id"])
        self.subscribers.pop(number, None)
        self.bounces = {n: b for n, b in self.bounces.items() if b["subscriber_id"] != number}
        self.views = [
            {**view, "subscriber": None} if view["subscriber"] == number else view
            for view in self.views
        ]
        return _data(True)

    @route("PUT", "/api/subscribers/{id}/blocklist")
    def _blocklist(self, call: Call) -> Reply:
        found = self._subscriber(call)
        if found is not None:
            found["status"] = "blocklisted"
        return _data(True)

    @route("GET", "/api/subscribers/{id}/export")
    def _export(self, call: Call) -> Reply:
        found = self._subscriber(call)
        if found is None:
            return Reply(400, {"message": "Subscriber not found"})
        profile = {name: value for name, value in found.items() if name != "lists"}
        subscriptions = [
            {"name": one["name"], "subscription_status": one["subscription_status"]}
            for one in found["lists"]
        ]
        return Reply(
            200,
            {
                "email": found["email"],
                "profile": [profile],
                "subscriptions": subscriptions,
                "campaign_views": [
                    {"campaign": view["campaign"], "views": view["views"]}
                    for view in self.views
                    if view["subscriber"] == found["id"]
                ],
                "link_clicks": [],
            },
        )

    @route("GET", "/api/subscribers/{id}/bounces")
    def _bounces_of(self, call: Call) -> Reply:
        number = int(call.names["id"])
        return _data([one for one in self.bounces.values() if one["subscriber_id"] == number])

    @route("GET", "/api/bounces/{id}")
    def _bounce(self, call: Call) -> Reply:
        found = self.bounces.get(int(call.names["id"]))
        return _data(found) if found else Reply(400, {"message": "Bounce not found"})

    @route("DELETE", "/api/bounces/{id}")
    def _erase_bounce(self, call: Call) -> Reply:
        self.bounces.pop(int(call.names["id"]), None)
        return _data(True)

    def _subscriber(self, call: Call) -> JsonObject | None:
        return self.subscribers.get(int(call.names["id"]))


def _data(data: object) -> Reply:
    return Reply(200, {"data": data})
