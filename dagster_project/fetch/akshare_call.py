"""Asking AkShare, a library that reaches vendors who publish no file.

Belongs here: calling one of its functions in a process of its own, and what its failures mean. Does
not belong here: which functions (`sources/`), what an answer is (`judge.py`).

AkShare is an extra: `pip install 'closing-bell[akshare]'`. It asks in its own name, knows no limit
of time and prints as it likes; a process of its own keeps this apart.

    python -m dagster_project.fetch.akshare_call FUNCTION '{"symbol": "000001"}'
"""

import contextlib
import importlib
import json
import subprocess
import sys
from collections.abc import Mapping

from dagster_project.fetch.download import REFUSALS, Refused, Unreachable

LONGEST_SECONDS = 300
_NOT_INSTALLED, _REFUSED = 3, 4


def ask_akshare(function: str, parameters: Mapping[str, str]) -> bytes:
    """The table that a function of AkShare returns, as CSV with a header.

    Raises:
        Refused: the vendor answers AkShare with a status that refuses.
        Unreachable: AkShare is not installed, failed, or took too long.
    """
    command = [sys.executable, "-m", __name__, function, json.dumps(dict(parameters))]
    try:
        done = subprocess.run(command, capture_output=True, timeout=LONGEST_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise Unreachable(f"AkShare took more than {LONGEST_SECONDS} s") from None
    if done.returncode == 0:
        return done.stdout
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    why = lines[-1] if lines else f"exit status {done.returncode}"
    if done.returncode == _NOT_INSTALLED:
        raise Unreachable("AkShare is not installed: pip install 'closing-bell[akshare]'")
    if done.returncode == _REFUSED:
        raise Refused(f"AkShare was refused: {why}")
    raise Unreachable(f"AkShare's {function} failed: {why}")


def main() -> None:
    function, parameters = sys.argv[1:]
    try:
        akshare = importlib.import_module("akshare")
    except ModuleNotFoundError:
        sys.exit(_NOT_INSTALLED)
    try:
        # What it prints is no part of the table.
        with contextlib.redirect_stdout(sys.stderr):
            table = getattr(akshare, function)(**json.loads(parameters))
    except Exception as error:  # it lets through whatever its parsers meet
        status = getattr(getattr(error, "response", None), "status_code", None)
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(_REFUSED if status in REFUSALS else 1)
    sys.stdout.buffer.write(table.to_csv(index=False).encode())


if __name__ == "__main__":
    main()
