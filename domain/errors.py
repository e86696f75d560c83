"""What the domain says when a rule forbids something."""


class DomainError(Exception):
    """A rule said no. The message tells what to do and never holds personal data.

    `key` names the same words in the languages of the pages, which fill in `values`; where there
    is none, or no words for it, the message stands.
    """

    def __init__(self, message: str = "", *, key: str = "", **values: str | int) -> None:
        super().__init__(*([message] if message else []))
        self.key, self.values = key, values


class NotAllowedNow(DomainError):
    """The command is a good one, but not in this state."""


class NotDecidable(DomainError):
    """A fact is missing without which no careful decision can be made."""
