"""The forms of a page, filled in and sent as a browser without scripts would."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx2


@dataclass
class Form:
    """Where it is sent, and what it sends when nobody touches it."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open: Form | None = None
        self._select: str | None = None
        self._options: list[tuple[str, bool]] = []
        self._text: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(given.get("action", ""), given.get("method", "get"))
            self.forms.append(self._open)
        elif tag == "select":
            self._select, self._options = given.get("name"), []
        elif tag == "option":
            self._options.append((given.get("value", ""), "selected" in given))
        elif tag == "textarea":
            self._text = given.get("name")
            self._add(given.get("name"), "")
        elif tag == "input":
            ticked = given.get("type") not in {"checkbox", "radio"} or "checked" in given
            if ticked and given.get("type") != "submit":
                self._add(given.get("name"), given.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "select" and self._options:
            chosen = [value for value, selected in self._options if selected]
            self._add(self._select, (chosen or [self._options[0][0]])[0])
        elif tag == "textarea":
            self._text = None

    def handle_data(self, data: str) -> None:
        if self._text is not None and self._open is not None:
            name, value = self._open.fields.pop()
            self._open.fields.append((name, value + data))

    def _add(self, name: str | None, value: str) -> None:
        if self._open is not None and name:
            self._open.fields.append((name, value))


class Browser:
    """Somebody who looks at pages and presses what is there; nothing else can be done."""

    def __init__(self, http: httpx2.Client) -> None:
        self.http = http
        self.page = ""
        self._address = ""

    def open(self, address: str) -> str:
        answer = self.http.get(address, follow_redirects=True)
        assert answer.status_code == 200, f"{address}: {answer.status_code}\n{answer.text}"
        self.page, self._address = answer.text, address
        return self.page

    def forms(self, ending: str) -> list[Form]:
        """The page's forms whose address ends so."""
        parser = _Forms()
        parser.feed(self.page)
        return [form for form in parser.forms if form.action.endswith(ending)]

    def press(self, ending: str, **changes: str | list[str]) -> str:
        """Send the first form that goes there, with these fields changed, and see what comes."""
        forms = self.forms(ending)
        assert forms, f"no form for {ending!r} on {self._address}\n{self.page}"
        form = forms[0]
        data: dict[str, list[str]] = {}
        for name, value in form.fields:
            data.setdefault(name, []).append(value)
        for name, changed in changes.items():
            data[name] = [changed] if isinstance(changed, str) else changed
        answer = self.http.request(
            form.method.upper(),
            form.action,
            data=data,
            headers={"Origin": str(self.http.base_url).rstrip("/")},
            follow_redirects=True,
        )
        assert answer.status_code == 200, f"{form.action}: {answer.status_code}\n{answer.text}"
        self.page = answer.text
        return self.page

    def judge(self, verdict: str) -> str:
        """Say the same of every record that waits to be judged."""
        fields = [name for name, _ in self.forms("/matches")[0].fields]
        return self.press("/matches", **{f: verdict for f in fields if f.startswith("theirs-")})
