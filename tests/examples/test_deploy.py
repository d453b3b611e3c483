"""The files under examples/deploy: each carried out as far as it can be without systemd, Docker or a cluster."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from exqueue.config import SystemConfig
from tests.examples.deployed import DEPLOY, list_form, manifests, run_as_a_service, steps, unit
from tests.examples.running import DEADLINE_S, ROOT, are_among, blocks, environment

STOP_TAKES_S = SystemConfig("memory://").shutdown_timeout + 3.0
"""What README.md promises of a stop."""


def test_the_service_runs_as_its_readme_shows(tmp_path: Path, empty_server: str) -> None:
    """By the command there, on a real server: it leads, runs a job of another process, and gives its lock back."""
    (command,) = blocks(DEPLOY / "README.md", "sh")
    (tmp_path / "examples").symlink_to(DEPLOY.parent)
    log = run_as_a_service(shlex.split(command), tmp_path, environment(empty_server), empty_server)

    (shown,) = blocks(DEPLOY / "README.md", "log")
    assert are_among(shown.splitlines(), log.splitlines()), log


def installed(folder: Path) -> Path:
    """An environment that finds this Exqueue and what it needs, as one in which it was installed."""
    # Some systems ship Python without ensurepip, and it takes long: the pip of this environment does as well.
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=DEADLINE_S)
    pip = folder / "bin" / "pip"
    pip.write_text(f'#!/bin/sh\nexec {folder}/bin/python -m pip "$@"\n')
    pip.chmod(0o755)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "exqueue.pth").write_text(f"{ROOT}\n{sysconfig.get_path('purelib')}\n")
    return folder


def test_the_unit_runs_a_node(tmp_path: Path) -> None:
    """Its ExecStart with its Environment, its directories being elsewhere, runs a job and ends well by SIGTERM."""
    settings = dict(unit())
    moved = {"/opt/shop": str(tmp_path / "shop"), f"/var/lib/{settings['StateDirectory']}": str(tmp_path / "state")}

    def here(text: str) -> str:
        for path, elsewhere in moved.items():
            text = text.replace(path, elsewhere)
        return text

    for folder in moved.values():
        Path(folder).mkdir()
    installed(tmp_path / "shop" / "venv")
    shutil.copy(DEPLOY / "service.py", tmp_path / "shop")
    name, _, url = here(settings["Environment"]).partition("=")
    assert name == "EXQUEUE_URL"
    command = shlex.split(here(settings["ExecStart"]))
    run_as_a_service(command, Path(here(settings["WorkingDirectory"])), environment(url), url)

    assert list((tmp_path / "state").iterdir()) != []


def test_the_unit_lets_a_stop_end_and_starts_what_has_ended() -> None:
    """A process that is killed in the midst of its stop, or not started again, would be no service."""
    settings = dict(unit())
    assert float(settings["TimeoutStopSec"]) > STOP_TAKES_S
    assert (settings["Restart"], settings["KillMode"]) == ("on-failure", "mixed")
    assert "KillSignal" not in settings
    assert settings["EnvironmentFile"].startswith("-")
    names = [name for name, _ in unit()]
    assert names.index("EnvironmentFile") > names.index("Environment")


def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    """Every setting is known, and stands in the right section."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("this machine has no systemd-analyze")
    text = (DEPLOY / "exqueue-node.service").read_text()
    file = tmp_path / "exqueue-node.service"
    file.write_text(text.replace("/opt/shop/venv/bin/python", sys.executable))  # It looks whether the program is there.
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(file)],
        check=False,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )
    assert [line for line in checked.stderr.splitlines() if file.name in line] == []
    assert checked.returncode == 0, checked.stderr


def test_the_steps_of_the_image_make_a_node(tmp_path: Path) -> None:
    """Each step is carried out in a directory and an environment of its own, and the last one runs a node."""
    data, workdir, command, variables = tmp_path / "data", tmp_path, [""], environment(None)
    variables["PATH"] = f"{installed(tmp_path / 'venv') / 'bin'}:{variables['PATH']}"
    for name, rest in steps():
        match name:
            case "FROM":
                assert rest.startswith("python:3.")
            case "WORKDIR":
                workdir = tmp_path / rest.removeprefix("/")
                workdir.mkdir(parents=True)
            case "RUN":
                subprocess.run(["/bin/sh", "-c", rest], cwd=workdir, env=variables, check=True, timeout=DEADLINE_S)
            case "COPY":
                source, target = rest.split()
                shutil.copy(DEPLOY / source, workdir / target)
            case "VOLUME":
                assert rest == "/data"
                data.mkdir()
            case "ENV":
                variable, _, value = rest.partition("=")
                variables[variable] = value.replace("/data", str(data))
            case "CMD":
                command = list_form(rest)
            case _:
                assert (name, rest) in {("USER", "10001"), ("STOPSIGNAL", "SIGTERM")}
    assert command[0] == "python"
    program = str(tmp_path / "venv" / "bin" / "python")
    run_as_a_service([program, *command[1:]], workdir, variables, variables["EXQUEUE_URL"])

    assert list(data.iterdir()) != []


def test_the_manifest_runs_the_image_and_lets_a_stop_end() -> None:
    """Its parts fit together: labels, secret and URL, the command and the user of the image, the grace period."""
    secret, deployment = manifests()["Secret"], manifests()["Deployment"]
    template = deployment["spec"]["template"]
    assert deployment["spec"]["selector"]["matchLabels"] == template["metadata"]["labels"]
    assert template["spec"]["terminationGracePeriodSeconds"] > STOP_TAKES_S
    (container,) = template["spec"]["containers"]
    image = dict(steps())
    assert container["command"] == list_form(image["CMD"])
    assert template["spec"]["securityContext"]["runAsUser"] == int(image["USER"])
    assert container["envFrom"] == [{"secretRef": {"name": secret["metadata"]["name"]}}]
    url = SystemConfig(secret["stringData"]["EXQUEUE_URL"]).url
    assert url.startswith("redis://")
    assert [one for one in ("Secret", "Deployment") if manifests()[one]["apiVersion"] not in ("v1", "apps/v1")] == []
