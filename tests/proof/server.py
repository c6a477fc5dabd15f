"""A server as `docs/operating.md` sets it up, where no container can be built.

Belongs here: a root folder of its own with the checkout, the home and a network that ends in it,
and the commands of `deploy/` run there as processes: each like a container, under the user, in the
folder and with the environment that it has there, gone with all its children when it is killed.
Does not belong here: what a night must bring (`deployment.py`).

What stands in for an image: Python and the packages of this machine, PostgreSQL of this machine,
and `initdb` as the image of PostgreSQL does it. All that is written is below one folder.
"""

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from dagster_project.home import PROJECT_ROOT, Home

CHECKOUT, HOME_FOLDER = Path("/opt/closing-bell"), Path("/srv/closing-bell")
USER, DATABASE_USER = 10001, 10002
# A process that is killed with its parent; as the first of its namespace it takes all others along.
DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL")
# Far above what a process needs to answer, or a run to release.
DEADLINE_SECONDS = 400.0


class CannotServe(Exception):
    """This machine lacks something that a server needs; the message says what."""


class ServerFailed(AssertionError):
    """A process ended, or did not do in time what it should; the message shows its log."""


@dataclass(frozen=True)
class Service:
    """A process of the server: what one service of `compose.yaml`, or one unit of systemd, says."""

    command: Sequence[str]
    environment: Mapping[str, str]
    user: int = USER
    # Services that must be healthy before this one is started.
    after: Sequence[str] = ()
    health: Sequence[str] = ()


@dataclass
class Server:
    """A machine within this one. Close it in the end: `with Server.new(folder) as server`."""

    folder: Path
    anchor: subprocess.Popen[bytes]
    services: dict[str, Service] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    ahead: float = 0.0

    @classmethod
    @contextlib.contextmanager
    def new(cls, folder: Path) -> Iterator["Server"]:
        """An empty server: a checkout, an empty disk for the home, nothing started.

        Raises:
            CannotServe: processes cannot be kept apart here, or PostgreSQL is not installed.
        """
        folder.mkdir(parents=True, exist_ok=True)
        script = folder / "root.sh"
        script.write_text(_script_of_root(folder))
        with (folder / "root.log").open("wb") as log:
            command = [*DIES_WITH_US, "unshare", "--mount", "--net", "bash", "-e", str(script)]
            anchor = subprocess.Popen(command, stdout=log, stderr=log)
        server = cls(folder, anchor)
        try:
            deadline = time.monotonic() + 30
            while not (folder / "is_ready").exists():
                if anchor.poll() is not None or time.monotonic() > deadline:
                    raise CannotServe(server.log_of("root") or "no namespace can be made")
                time.sleep(0.05)
            yield server
        finally:
            server.stop()
            anchor.kill()
            anchor.wait()

    @property
    def home(self) -> Home:
        """The home, as this machine sees it."""
        return Home(self.folder / "home")

    @property
    def deploy(self) -> Path:
        """`deploy/` of its checkout, as this machine sees it."""
        return self.folder / "checkout" / "deploy"

    def set_clock(self, at: datetime) -> None:
        """Processes started from now on live at another time, which goes on from there."""
        self.ahead = at.timestamp() - time.time()

    # Commands

    def run(
        self,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        user: int = 0,
    ) -> str:
        """Run a command to its end; what it printed.

        Raises:
            ServerFailed: its exit status is not 0.
        """
        done = subprocess.run(
            self._inside(command, environment or {}, user),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            said = f"{done.stdout}{done.stderr}"
            raise ServerFailed(f"{shlex.join(command)}: exit {done.returncode}\n{said}")
        return done.stdout

    def execute(self, name: str, command: Sequence[str]) -> str:
        """Run a command beside a service, as `docker compose exec` does."""
        service = self.services[name]
        return self.run(command, service.environment, service.user)

    def _inside(
        self, command: Sequence[str], environment: Mapping[str, str], user: int
    ) -> list[str]:
        moved = {"CLOSING_BELL_CLOCK_AHEAD": f"{self.ahead:.3f}"} if self.ahead else {}
        python_path = f"{CHECKOUT}/tests/proof/moved_clock:{CHECKOUT}"
        variables = {
            "PATH": f"{CHECKOUT}/.venv/bin:{_postgres_folder()}:/usr/sbin:/usr/bin:/sbin:/bin",
            # Where the image has the checkout, `.venv` has another one.
            "PYTHONPATH": python_path,
            "HOME": "/tmp",
            "PYTHONDONTWRITEBYTECODE": "1",
            **moved,
            **environment,
        }
        return [
            *DIES_WITH_US,
            *("nsenter", f"--target={self.anchor.pid}", "--mount", "--net", "--root"),
            *("env", "--ignore-environment", f"--chdir={CHECKOUT}"),
            *(f"{name}={value}" for name, value in variables.items()),
            *("unshare", "--pid", "--fork", "--mount-proc"),
            *(*DIES_WITH_US, f"--reuid={user}", f"--regid={user}", "--clear-groups"),
            *(("--bounding-set=-all", "--no-new-privs") if user else ()),
            *("--", *command),
        ]  # fmt: skip

    # Services

    def start(self, *names: str) -> None:
        """Start services, by default all; each once those that it needs are healthy."""
        for name in names or self.services:
            service = self.services[name]
            for other in service.after:
                self.wait_until(partial(self.is_healthy, other), f"a healthy {other}")
            with (self.folder / f"{name}.log").open("ab") as log:
                self.processes[name] = subprocess.Popen(
                    self._inside(service.command, service.environment, service.user),
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                )  # fmt: skip

    def is_healthy(self, name: str) -> bool:
        """Whether a service answers as it should; one that cannot be asked is healthy."""
        try:
            self.execute(name, self.services[name].health or ["true"])
        except ServerFailed:
            return False
        return True

    def kill(self, name: str) -> None:
        """Kill a service with all its children, at this instant; returns when they are gone."""
        process = self.processes.pop(name)
        children = _children(process)
        process.kill()
        process.wait()
        while any(map(_lives, children)):
            time.sleep(0.01)

    def stop(self, *names: str) -> None:
        """Tell services to end, by default all, the last started first; kill who needs too long."""
        for name in names or tuple(reversed(self.processes)):
            if not (process := self.processes.get(name)):
                continue
            for child in _children(process):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
            self.kill(name)

    def wait_until(self, is_so: Callable[[], bool], what: str) -> None:
        """Wait for something that the services do.

        Raises:
            ServerFailed: it does not come, or a service ended.
        """
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not is_so():
            for name, process in self.processes.items():
                if process.poll() is not None:
                    raise ServerFailed(
                        f"{name} ended while waiting for {what}\n{self.log_of(name)}"
                    )
            if time.monotonic() > deadline:
                logs = "\n".join(f"{name}:\n{self.log_of(name)}" for name in self.processes)
                raise ServerFailed(f"waited in vain for {what}\n{logs}")
            time.sleep(0.5)

    def user_of(self, name: str) -> int:
        """The number of a user."""
        return int(self.run(["id", "--user", name]))

    def times_said(self, name: str, words: str) -> int:
        """How often a log says something."""
        return (self.folder / f"{name}.log").read_text(errors="replace").count(words)

    def log_of(self, name: str) -> str:
        """The end of a log."""
        log = self.folder / f"{name}.log"
        return log.read_text(errors="replace")[-3000:] if log.exists() else ""

    def answers(self, url: str) -> bool:
        """Whether a page can be had from within the server."""
        fetch = "import sys, urllib.request as u; u.urlopen(sys.argv[1], timeout=5)"
        try:
            self.run(["python", "-c", fetch, url])
        except ServerFailed:
            return False
        return True

    # PostgreSQL

    def add_postgres(self, password: str) -> None:
        """A new database, as the image of PostgreSQL makes it at its first start."""
        data = "/var/lib/postgresql/data"
        self.run(["bash", "-ec", f"mkdir -p {data} && chown {DATABASE_USER} {data}"])
        (self.folder / "var" / "password").write_text(password)
        self.run(
            [
                *("initdb", "--username=dagster", "--pwfile=/var/password", "--no-sync"),
                *("--auth=scram-sha-256", f"--pgdata={data}"),
            ],
            user=DATABASE_USER,
        )
        command = ["postgres", "-D", data, "-k", "/tmp", "-c", "timezone=Asia/Hong_Kong"]
        health = ["pg_isready", "--host=127.0.0.1", "--username=dagster"]
        self.services["postgres"] = Service(command, {}, DATABASE_USER, health=health)
        self.start("postgres")
        self.wait_until(lambda: self.is_healthy("postgres"), "PostgreSQL")
        self.run(
            ["createdb", "--host=127.0.0.1", "--username=dagster", "dagster"],
            {"PGPASSWORD": password},
        )

    # What deploy/ says

    def take_services_of_compose(self) -> None:
        """The services of `deploy/compose.yaml` that are ours; `deploy/.env` sets its variables."""
        settings = _settings(self.deploy / ".env")

        def filled(text: str) -> str:
            return re.sub(r"\$\{(\w+)[^}]*\}", lambda found: settings[found[1]], text)

        compose: Any = yaml.safe_load((self.deploy / "compose.yaml").read_text())
        for name, service in compose["services"].items():
            if service["image"] == "closing-bell":
                environment = {
                    variable: filled(value) for variable, value in service["environment"].items()
                }
                self.services[name] = Service(
                    service["command"],
                    environment,
                    after=[*service["depends_on"]],
                    health=service.get("healthcheck", {"test": ["CMD"]})["test"][1:],
                )

    def take_services_of_systemd(self) -> None:
        """The services of `deploy/systemd/`, after `/etc/closing-bell.env` was written."""
        environment = _settings(self.folder / "etc" / "closing-bell.env")
        for unit in sorted((self.deploy / "systemd").glob("*.service")):
            (command,) = re.findall(r"^ExecStart=(.+)$", unit.read_text(), re.MULTILINE)
            self.services[unit.stem.removeprefix("closing-bell-")] = Service(
                shlex.split(command), environment
            )


def _children(process: subprocess.Popen[bytes]) -> list[int]:
    """The processes that a process started: of a service the one in which it runs."""
    try:
        return [
            *map(int, Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split())
        ]
    except FileNotFoundError:
        return []


def _lives(child: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{child}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def _settings(file: Path) -> dict[str, str]:
    """A file of NAME=value, as compose and systemd read it."""
    lines = [line for line in file.read_text().splitlines() if re.match(r"\w+=", line)]
    return {name: value.strip("'") for name, value in (line.split("=", 1) for line in lines)}


def _postgres_folder() -> Path:
    """Where PostgreSQL's programs are.

    Raises:
        CannotServe: nowhere.
    """
    on_path = shutil.which("initdb")
    found = [Path(on_path)] if on_path else [*Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if not found:
        raise CannotServe("PostgreSQL is not installed here")
    return max(found).parent


def _script_of_root(folder: Path) -> str:
    """Makes a root folder that shows this machine's programs, and of its data nothing."""
    root = folder / "root"
    venv = Path(sys.prefix).resolve()
    shutil.copytree(
        PROJECT_ROOT,
        folder / "checkout",
        ignore=shutil.ignore_patterns(".*", "data", "target", "logs", "__pycache__"),
        dirs_exist_ok=True,
    )
    for name in ("etc", "home", "var"):
        (folder / name).mkdir(exist_ok=True)
    shutil.copytree("/etc", folder / "etc", symlinks=True, dirs_exist_ok=True, ignore=_no_secrets)
    with (folder / "etc" / "passwd").open("a") as users:
        users.write(f"closing-bell:x:{USER}:{USER}::/nonexistent:/bin/sh\n")
        users.write(f"database:x:{DATABASE_USER}:{DATABASE_USER}::/nonexistent:/bin/sh\n")
    names = ["postgres", "code", "webserver", "daemon", "localhost"]
    (folder / "etc" / "hosts").write_text(f"127.0.0.1 {' '.join(names)}\n")
    programs = [
        path
        for path in Path("/").iterdir()
        if path.name in {"usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"}
    ]
    base = Path(sys.base_prefix).resolve()
    if not base.is_relative_to("/usr"):
        programs.append(base)
    lines = [
        "ip link set lo up",
        "mount --make-rprivate /",
        f"mkdir -p {root} && mount -t tmpfs -o mode=755 tmpfs {root}",
    ]
    for path in programs:
        if path.is_symlink():
            lines.append(f"cp -P {path} {root}{path}")
        else:
            lines.append(f"mkdir -p {root}{path} && mount --rbind {path} {root}{path}")
    for inside, outside in (
        ("/etc", folder / "etc"),
        ("/var", folder / "var"),
        (f"{CHECKOUT}", folder / "checkout"),
        (f"{HOME_FOLDER}", folder / "home"),
        # What compose mounts into its containers.
        ("/data", folder / "home"),
        (f"{venv}", venv),
        (f"{CHECKOUT}/.venv", venv),
        ("/dev", Path("/dev")),
    ):
        lines.append(f"mkdir -p {root}{inside} && mount --rbind {outside} {root}{inside}")
    lines += [
        f"mkdir -p {root}/proc && mount -t proc proc {root}/proc",
        f"mkdir -p {root}/tmp && chmod 1777 {root}/tmp",
        f"touch {folder}/is_ready",
        # Others see this root only through this process.
        f"exec env --chdir={root} chroot {root} sleep infinity",
    ]
    return "\n".join(lines)


def _no_secrets(folder: str, names: Sequence[str]) -> set[str]:
    return {name for name in names if name in {"shadow", "gshadow", "shadow-", "gshadow-", "ssl"}}
