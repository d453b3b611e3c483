"""What the files to deploy say, and the service, running."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
from typing import TYPE_CHECKING

import yaml

from exqueue import Enqueue, ExqueueSystem
from tests.examples.running import DEADLINE_S, EXAMPLES
from tests.system.helpers import eventually

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Any

DEPLOY = EXAMPLES / "deploy"


def unit() -> list[tuple[str, str]]:
    """The settings of the systemd unit, in their order."""
    lines = (DEPLOY / "exqueue-node.service").read_text().splitlines()
    pairs = (line.partition("=") for line in lines if line and line[0] not in "#[")
    return [(name, value) for name, _, value in pairs]


def steps() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile, in their order."""
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    pairs = (line.partition(" ") for line in lines if line and not line.startswith("#"))
    return [(name, rest) for name, _, rest in pairs]


def manifests() -> dict[str, dict[str, Any]]:
    """The objects of the Kubernetes manifest, by their kind."""
    return {each["kind"]: each for each in yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())}


def list_form(command: str) -> list[str]:
    """The words of a CMD that no shell reads.

    Raises:
        ValueError: it is for a shell.
    """
    words: list[str] = json.loads(command)
    return words


def run_as_a_service(command: Sequence[str], folder: Path, environment: Mapping[str, str], url: str) -> str:
    """Start it, have it run a job that another process enqueued, end it as the deployment does; return its log."""
    log = folder / "service.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file
        )

    def says(text: str) -> bool:
        assert process.poll() is None, f"it has ended: {log.read_text()}"
        return text in log.read_text()

    try:
        eventually(lambda: says("leads with epoch"), DEADLINE_S)
        with ExqueueSystem.start(url) as system:
            system.ask(Enqueue("Tick", {"number": 4711}), timeout=DEADLINE_S)
        eventually(lambda: says("INFO tick 4711"), DEADLINE_S)
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE_S) == 0, f"{shlex.join(command)}: {log.read_text()}"
    finally:
        process.kill()
        process.wait()
    return log.read_text()
