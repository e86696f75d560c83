"""Turns an HTML body into plain text: what it says and where its links lead, never its markup.

The standard library's parser takes seconds for a few kilobytes of unclosed tags, and anybody can
send those, so this reads the markup with expressions that never look at a character twice.
"""

import html
import re

# An unclosed comment or tag swallows the rest, as in a browser. Quantifiers are possessive: no
# backtracking, so the time is proportional to the length.
_TOKEN = re.compile(
    r"<!--(?P<comment>.*?)(?:-->|\Z)"
    r"|<[!?][^>]*+(?:>|\Z)"
    r"|<(?P<end>/?)(?P<tag>[a-zA-Z][a-zA-Z0-9:-]*+)"
    r"(?P<attributes>(?:\"[^\"]*+\"|'[^']*+'|[^>\"'])*+)>"
    r"|<(?P<broken>/?[a-zA-Z])[^>]*+(?:>|\Z)"
    r"|(?P<text>[^<]++|<)",
    re.DOTALL,
)
_HREF = re.compile(r"\bhref\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.IGNORECASE)
_SPACE = re.compile(r"[ \t\r\n\f\v\xa0]+")
# Python refuses to turn thousands of digits into a number, so no such reference gets that far.
_ENDLESS_REFERENCE = re.compile(r"&#[xX]?[0-9a-fA-F]{8,}+;?")
_BLANK_LINES = re.compile(r"\n{3,}")

_SWALLOWED = frozenset({"script", "style", "title", "template"})
_BLOCKS = re.compile(
    "address|article|aside|div|d[ldt]|fieldset|figure|footer|form|h[1-6]|header|hr|li|main|nav|ol|"
    "p|pre|section|table|tbody|thead|tfoot|tr|ul"
)
_SPACED = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "pre"})
_LINKS = ("http://", "https://", "mailto:")


def text_from_html(markup: str) -> str:
    reader = _Reader()
    position = 0
    while match := _TOKEN.match(markup, position):
        position = match.end()
        if (text := match["text"]) is not None:
            reader.says(text)
        elif (tag := match["tag"]) is not None:
            tag = tag.lower()
            if match["end"]:
                reader.closes(tag)
            elif tag in _SWALLOWED:
                closing = re.compile(rf"</{tag}\b[^>]*+(?:>|\Z)", re.IGNORECASE)
                found = closing.search(markup, position)
                position = found.end() if found else len(markup)
            else:
                reader.opens(tag, match["attributes"])
    return reader.result()


class _Reader:
    def __init__(self) -> None:
        self.lines: list[tuple[int, str]] = []
        self.line: list[str] = []
        self.quotes = 0
        self.link: str | None = None
        self.link_text: list[str] = []

    def says(self, text: str) -> None:
        words = _SPACE.sub(" ", html.unescape(_ENDLESS_REFERENCE.sub("\ufffd", text)))
        self.line.append(words)
        if self.link is not None:
            self.link_text.append(words)

    def opens(self, tag: str, attributes: str) -> None:
        if tag == "br":
            self.breaks()
        elif tag == "blockquote":
            self.breaks()
            self.quotes += 1
        elif tag == "a":
            self.ends_link()
            if found := _HREF.search(attributes):
                self.link = html.unescape(
                    _ENDLESS_REFERENCE.sub("\ufffd", next(filter(None, found.groups()), ""))
                ).strip()
        elif tag in {"td", "th"}:
            self.line.append(" ")
        elif _BLOCKS.fullmatch(tag):
            self.starts_block(tag)
            if tag == "li":
                self.line.append("- ")

    def closes(self, tag: str) -> None:
        if tag == "a":
            self.ends_link()
        elif tag == "blockquote":
            self.breaks()
            self.quotes = max(0, self.quotes - 1)
        elif _BLOCKS.fullmatch(tag):
            self.starts_block(tag)

    def ends_link(self) -> None:
        target, shown = self.link, "".join(self.link_text).strip()
        self.link, self.link_text = None, []
        if target and target.lower().startswith(_LINKS):
            address = target.removeprefix("mailto:")
            if address.rstrip("/") not in shown:
                self.line.append(f" <{address}>")

    def starts_block(self, tag: str) -> None:
        if "".join(self.line).strip():
            self.breaks()
        self.line = []
        if tag in _SPACED and self.lines and self.lines[-1][1]:
            self.lines.append((self.quotes, ""))

    def breaks(self) -> None:
        self.lines.append((self.quotes, _SPACE.sub(" ", "".join(self.line)).strip()))
        self.line = []

    def result(self) -> str:
        self.ends_link()
        self.breaks()
        text = "\n".join(
            "> " * min(quotes, 5) + line if quotes else line for quotes, line in self.lines
        )
        return _BLANK_LINES.sub("\n\n", text).strip()
