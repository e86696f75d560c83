"""How hard a text is to read, for tests of what is not a letter."""

from services.readability import lix, sentences

__all__ = ["lix", "sentences"]
