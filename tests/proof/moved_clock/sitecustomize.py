"""Moves the clock of every Python process that finds this folder on its PYTHONPATH.

Python imports a module of this name when it starts. `CLOSING_BELL_CLOCK_AHEAD` says by how many
seconds the clock is ahead of the real one; it goes on from there. The clocks of SQLite and DuckDB
are the machine's own: no time of theirs decides anything.
"""

import os
import time
from importlib import import_module
from types import SimpleNamespace

if ahead := os.environ.get("CLOSING_BELL_CLOCK_AHEAD"):
    import time_machine

    # gRPC hands deadlines of this clock to a library that goes by the machine's.
    real = SimpleNamespace(time=time_machine.escape_hatch.time.time, perf_counter=time.perf_counter)
    for module in ("grpc._channel", "grpc._server", "grpc._cython.cygrpc"):
        vars(import_module(module))["time"] = real
    time_machine.travel(time.time() + float(ahead), tick=True).start()
