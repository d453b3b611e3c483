"""What really happened to each run, as the jobs themselves say it: no store can take that back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.proof.shadow import Broken

if TYPE_CHECKING:
    from tests.proof.shadow import RunKey


@dataclass
class Runs:
    """Every run that has begun.

    Attributes:
        begun: on which node.
        ended: how: ``True`` when it succeeded.
        ended_at: when.
    """

    begun: dict[RunKey, str] = field(default_factory=dict)
    ended: dict[RunKey, bool] = field(default_factory=dict)
    ended_at: dict[RunKey, float] = field(default_factory=dict)
    _eras: dict[RunKey, int] = field(default_factory=dict)
    _systems: dict[RunKey, str] = field(default_factory=dict)

    def begin(self, key: RunKey, node: str, system: str, era: int) -> None:
        """A job begins.

        A store that lost what it had acknowledged may hand out the same numbers once more, but not to the same system.

        Raises:
            Broken: this very run has begun before.
        """
        if key in self.begun and (self._eras[key] == era or self._systems[key] == system):
            raise Broken(f"repeated: {key} begins on {node}, and had begun on {self.begun[key]} before")
        self.begun[key], self._systems[key], self._eras[key] = node, system, era
        self.ended.pop(key, None)

    def is_older(self, key: RunKey, era: int) -> bool:
        """Whether a run that has begun did so before the store lost what it had acknowledged."""
        return self._eras[key] < era

    def end(self, key: RunKey, *, well: bool) -> None:
        """A job is about to return, or to raise."""
        self.ended[key] = well
