"""What the domain says when a rule forbids something."""


class DomainError(Exception):
    """A rule said no. The message tells what to do and never holds personal data."""


class NotAllowedNow(DomainError):
    """The command is a good one, but not in this state."""


class NotDecidable(DomainError):
    """A fact is missing without which no careful decision can be made."""
