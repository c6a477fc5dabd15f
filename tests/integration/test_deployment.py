"""What `deploy/` says: its files are right, and its processes release nights, also when killed.

No container can be built in a test: the same commands run as processes (`tests/proof/server.py`).
Twenty kills at random instants are `make prove-deployment`.
"""

import base64
import re
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from dagster_project.defs.run_in_process import DAGSTER_YAML
from dagster_project.home import PROJECT_ROOT
from tests.proof.deployment import PROCESSES, Drill
from tests.proof.nights import moment
from tests.proof.server import CannotServe, Server, Service

DEPLOY = PROJECT_ROOT / "deploy"
# The beginning of one; nobody logs in with it.
HASH = "$2a$14$x"


def check(tool: str, *arguments: str, environment: dict[str, str] | None = None) -> None:
    """A tool finds nothing wrong; skips the test where it is not installed."""
    found = shutil.which(tool, path=f"{Path(sys.executable).parent}:/usr/bin:/usr/local/bin")
    if not found:
        pytest.skip(f"{tool} is not installed")
    done = subprocess.run(
        [found, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr if tool != "caddy" else "") == (0, ""), done.stdout


def test_the_image_is_described_without_a_fault() -> None:
    check("hadolint", str(DEPLOY / "Dockerfile"))


def test_compose_reads_its_file(tmp_path: Path) -> None:
    settings = tmp_path / "env"
    example = (DEPLOY / "env.example").read_text()
    settings.write_text(example.replace("PASSWORD=", "PASSWORD=x").replace("''", f"'{HASH}'"))
    files = ("--env-file", str(settings), "--file", str(DEPLOY / "compose.yaml"))
    check("docker-compose", *files, "config", "--quiet")


def test_the_proxy_reads_its_file(tmp_path: Path) -> None:
    site = {"SITE": "localhost", "SITE_USER": "desk", "SITE_PASSWORD_HASH": HASH}
    site["HOME"] = str(tmp_path)  # where it keeps its settings
    config = ("--config", str(DEPLOY / "Caddyfile"), "--adapter", "caddyfile")
    check("caddy", "validate", *config, environment=site | {"WEBSERVER": "webserver"})


def test_systemd_reads_its_units(tmp_path: Path) -> None:
    units = []
    for unit in (DEPLOY / "systemd").glob("*.service"):
        text = unit.read_text().replace(
            "/opt/closing-bell/.venv/bin", str(Path(sys.executable).parent)
        )
        units.append(tmp_path / unit.name)
        units[-1].write_text(text)
    check("systemd-analyze", "verify", *map(str, units))


def test_the_instance_is_that_of_prepare_with_postgres() -> None:
    instance = yaml.safe_load((DEPLOY / "dagster.yaml").read_text())
    assert instance.pop("storage")["postgres"]
    assert instance == yaml.safe_load(DAGSTER_YAML)


@pytest.mark.long
def test_a_server_that_was_set_up_as_the_page_says(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """One server for all, since setting one up takes a minute."""
    try:
        with Drill.new(tmp_path_factory.mktemp("server"), 3) as drill:
            drill.set_up()
            release_a_night_though_processes_are_killed(drill)
            ask_for_a_password(drill)
            release_a_night_by_systemd(drill)
            release_a_night_by_cron(drill)
    except CannotServe as why:
        pytest.skip(str(why))


def release_a_night_though_processes_are_killed(drill: Drill) -> None:
    """Each in turn, as the run goes on; the code server's end is the run's."""
    night = drill.sessions()[0]
    outcome = drill.play(night, {"webserver": 2.0, "daemon": 4.0, "code": 8.0})
    assert outcome.lost_run
    assert not outcome.wrong
    assert {"FAILURE", "SUCCESS"} <= set(drill.runs())


def ask_for_a_password(drill: Drill) -> None:
    server = drill.server
    if not shutil.which("caddy"):
        return  # what it is told is read by `test_the_proxy_reads_its_file`, or skipped there
    plain = "correct horse"
    hashed = server.run(["caddy", "hash-password", "--plaintext", plain]).strip()
    site = {"SITE": "localhost", "SITE_USER": "desk", "SITE_PASSWORD_HASH": hashed}
    command = ["caddy", "run", "--config", "deploy/Caddyfile", "--adapter", "caddyfile"]
    server.services["proxy"] = Service(command, site | {"WEBSERVER": "webserver"}, user=0)
    server.start("proxy")
    try:
        night = drill.sessions()[0]
        report = f"https://localhost/reports/{night}/market_report.html"
        password = base64.b64encode(f"desk:{plain}".encode()).decode()
        server.wait_until(lambda: answer(server, report) == "401", "the proxy")
        assert answer(server, "https://localhost/server_info") == "401"
        assert answer(server, "https://localhost/server_info", password) == "200"
        assert answer(server, report, password) == "200"
        database = "https://localhost/published/closing_bell.duckdb"
        assert answer(server, database) == "401"
        assert answer(server, database, password) == "200, a database"
        for aside in ("../warehouse.duckdb", "%2e%2e/warehouse.duckdb", "..%2fwarehouse.duckdb"):
            url = f"https://localhost/published/{aside}"
            assert "database" not in answer(server, url, password)
    finally:
        server.stop("proxy")


def answer(server: Server, url: str, password: str = "") -> str:
    """The HTTP status of an answer, and whether it is a file of DuckDB; nothing if none comes."""
    script = """
import ssl, sys, urllib.error, urllib.request
url, password = sys.argv[1:]
request = urllib.request.Request(url)
if password:
    request.add_header("Authorization", f"Basic {password}")
anybody = ssl._create_unverified_context()
try:
    answer = urllib.request.urlopen(request, context=anybody, timeout=5)
    print(answer.status, *["a database"] * (b"DUCK" in answer.read(16)), sep=", ")
except urllib.error.HTTPError as error:
    print(error.code)
except OSError:
    print("")
"""
    return server.run(["python", "-c", script, url, password]).strip()


def release_a_night_by_systemd(drill: Drill) -> None:
    server = drill.server
    server.stop(*PROCESSES)
    settings = (server.deploy / "systemd" / "closing-bell.env").read_text()
    password = re.findall(r"PASSWORD=(\w+)", (server.deploy / ".env").read_text())[0]
    (server.folder / "etc" / "closing-bell.env").write_text(
        settings.replace("PASSWORD=", f"PASSWORD={password}")
    )
    server.take_services_of_systemd()
    assert not drill.play(drill.sessions()[1], {}).wrong


def release_a_night_by_cron(drill: Drill) -> None:
    """Without a daemon; twice, since the second finds nothing new; and the check of the age."""
    server, night = drill.server, drill.sessions()[2]
    server.stop(*PROCESSES)
    drill.deliver(night)
    server.set_clock(moment(night, "18:30:00"))
    lines = (DEPLOY / "closing-bell.cron").read_text().splitlines()
    (home,) = (line for line in lines if line.startswith("CLOSING_BELL_HOME="))
    nightly, age = (line.split(maxsplit=6)[5:] for line in lines if re.match(r"\d", line))
    environment = dict([home.split("=")])
    environment |= {"POSTGRES_HOST": "127.0.0.1", "POSTGRES_PASSWORD": "drill"}
    for _ in range(2):
        server.run(["sh", "-c", nightly[1]], environment, user=server.user_of(nightly[0]))
    assert drill.clock() == night
    assert server.run(["sh", "-c", age[1]], environment, user=server.user_of(age[0])) == ""
    server.set_clock(moment(night, "18:30:00") + timedelta(days=4))
    late = server.run(["sh", "-c", age[1]], environment, user=server.user_of(age[0]))
    assert late.startswith("Closing Bell: see")
