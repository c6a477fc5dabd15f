"""The kinds of corruption that end-of-day files suffer, each a small function on clean files."""

from tests.proof.corruptions import files, meaning, numbers, times
from tests.proof.corruptions.kind import BEFORE, FIRST, KINDS, NIGHT, Corruption, Kind, Landing

__all__ = [
    "BEFORE",
    "FIRST",
    "KINDS",
    "NIGHT",
    "Corruption",
    "Kind",
    "Landing",
    "files",
    "meaning",
    "numbers",
    "times",
]
