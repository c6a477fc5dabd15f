"""Whether an answer is the file that was asked for.

Belongs here: the rules of a source's `answer`, on bytes alone. Does not belong here: asking
(`download.py`), the calendar and the clock (`fetching.py`), what the file means (`ingest/`).
"""

import io
import re
import zipfile
import zlib
from dataclasses import dataclass
from datetime import date
from typing import Literal

from dagster_project.fetch.source_spec import Answer, stated

Verdict = Literal["file", "empty", "early", "other_day", "refused", "damaged"]
_BEGINNING = 200
_MOST_BYTES_OF_A_PART = 50_000_000


@dataclass(frozen=True)
class Judgement:
    """What an answer is, and why it is not the file, in words."""

    verdict: Verdict
    reason: str = ""


def judge(answer: Answer, content: bytes, day: date) -> Judgement:
    """Say what an answer with a status of success is."""
    text = _text(content, answer)
    if answer.refused and (found := re.search(answer.refused, text)):
        return Judgement("refused", f"it refuses the question: {_shown(found[0])}")
    if answer.empty and re.search(answer.empty, text):
        return Judgement("empty", "it has no data for the day")
    bare = content.decode(answer.encoding, errors="replace").strip()
    if answer.begins and not bare.startswith(answer.begins):
        return Judgement("damaged", f"it does not begin with {answer.begins!r}: {_shown(bare)}")
    if len(content) < answer.least_bytes:
        return Judgement(
            "damaged", f"it has {len(content):,} bytes, at least {answer.least_bytes:,} are usual"
        )
    if answer.ends and not bare.endswith(answer.ends):
        return Judgement("damaged", f"it is cut off: it does not end with {answer.ends!r}")
    for wanted in answer.contains:
        if wanted not in text:
            return Judgement("damaged", f"it lacks {wanted!r}; is it another file?")
    if answer.date:
        days = [moment.date() for moment in stated(answer.date, text)]
        if not days:
            return Judgement("damaged", "it states no date")
        if day not in days:
            return Judgement("other_day", f"it is of {max(days)}")
    if answer.time and answer.not_before:
        moment = next(iter(stated(answer.time, text)), None)
        if moment is None or f"{moment:%H:%M}" < answer.not_before:
            at = f"{moment:%H:%M:%S}" if moment else "an unknown time"
            return Judgement("early", f"it is a snapshot of {at}, before {answer.not_before}")
    return Judgement("file")


def _text(content: bytes, answer: Answer) -> str:
    """An answer as text; of a workbook, the texts of its cells."""
    if not content.startswith(b"PK"):
        return content.decode(answer.encoding, errors="replace")
    found = []
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            for name in book.namelist():
                if name.endswith(".xml"):
                    with book.open(name) as part:
                        found.append(part.read(_MOST_BYTES_OF_A_PART))
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError):
        return ""  # it is damaged, and states no date
    return b"".join(found).decode("utf-8", errors="replace")


def _shown(text: str) -> str:
    return " ".join(text[:_BEGINNING].split())
