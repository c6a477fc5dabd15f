"""A page in headless Chromium, with a script of a test in it.

Belongs here: starting the browser. Does not belong here: what a page should be (the tests).
"""

import json
import re
import shutil
import subprocess
from html import escape, unescape
from pathlib import Path
from typing import Any

import pytest

PHONE, WIDE = (390, 844), (1280, 900)
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium is installed; `apt-get install chromium` has it"
)


def probe(
    page: str, script: str, folder: Path, size: tuple[int, int] = WIDE, *flags: str
) -> dict[str, Any]:
    """Open a page, run a script in it, and return the object that it calls `seen`."""
    # Only for the probe: the page itself forbids scripts of others.
    page = re.sub("(default-src|script-src) '[^;\"]*';? ?", "", page)
    script = f"{{ {script} top.document.title = JSON.stringify(seen); }}"
    page = page.replace("</body>", f"<script>{script}</script></body>")
    # In a frame, as a window of a browser is not made as narrow as a phone.
    frame = f'<iframe width="{size[0]}" height="{size[1]}" srcdoc="{escape(page)}"></iframe>'
    file = folder / "page.html"
    file.write_text(f"<!DOCTYPE html><title></title>{frame}", encoding="utf-8")
    done = _run(folder, "--window-size=1400,1000", *flags, "--dump-dom", file.as_uri())
    title = done.stdout.partition("<title>")[2].partition("</title>")[0]
    assert title.startswith("{"), done.stderr[-2000:]
    seen: dict[str, Any] = json.loads(unescape(title))
    return seen


def sheets(page: str, folder: Path) -> int:
    """The number of sheets that a page is printed on."""
    file, printed = folder / "page.html", folder / "page.pdf"
    file.write_text(page, encoding="utf-8")
    done = _run(folder, "--no-pdf-header-footer", f"--print-to-pdf={printed}", file.as_uri())
    assert printed.exists(), done.stderr[-2000:]
    return len(re.findall(rb"/Type\s*/Page\b", printed.read_bytes()))


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    assert CHROMIUM is not None
    return subprocess.run(
        [
            CHROMIUM,
            *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
            f"--user-data-dir={folder / 'profile'}",
            *arguments,
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
