"""A job that charges an invoice, and the crashes that make it charge twice; then the same job with a fencing token.

Run it: python examples/charge_once.py (needs exqueue[simulation])
"""

from __future__ import annotations

import exqueue
from exqueue.testing import Simulation, simulate


class Bank:
    """A service of somebody else. Of what it did for an invoice it keeps the highest token that it was shown."""

    def __init__(self) -> None:
        self.charges: list[str] = []
        self.highest: dict[str, tuple[int, ...]] = {}

    def has_charged(self, invoice: str, token: tuple[int, ...] = ()) -> bool:
        """Whether the invoice is paid. Whoever asked with a lower token can do nothing any more."""
        self._check(invoice, token)
        return invoice in self.charges

    def charge(self, invoice: str, token: tuple[int, ...] = ()) -> None:
        """Take the money."""
        self._check(invoice, token)
        self.charges.append(invoice)

    def _check(self, invoice: str, token: tuple[int, ...]) -> None:
        if token < self.highest.get(invoice, ()):
            raise PermissionError("a later run of this job has been here")
        self.highest[invoice] = token


bank = Bank()


class Charge:
    """Looks before it charges. That is not enough."""

    def perform(self, *, invoice: str) -> None:
        """Between the look and the charge this node may stand still while another does the same."""
        if not bank.has_charged(invoice):
            bank.charge(invoice)


class ChargeOnce:
    """The same, and tells the bank which run it is: later runs have higher tokens."""

    def perform(self, *, invoice: str) -> None:
        """A run that was superseded is refused."""
        job = exqueue.current_job()
        token = (job.epoch, *job.run) if job else ()
        if not bank.has_charged(invoice, token):
            bank.charge(invoice, token)


def scenario_of(job: type) -> None:
    """Try a job with all crashes; say what came of it."""

    def scenario(simulation: Simulation) -> None:
        global bank  # noqa: PLW0603 - as the client of a real service is one object of the program
        bank = Bank()
        bank.has_charged = simulation.side_effect(bank.has_charged)  # type: ignore[method-assign]
        bank.charge = simulation.side_effect(bank.charge)  # type: ignore[method-assign]
        simulation.start(job)
        simulation.enqueue(job, {"invoice": "2026-017"})
        simulation.run()
        if bank.charges != ["2026-017"]:
            raise AssertionError(f"charged {len(bank.charges)} times")

    try:
        done = simulate(scenario, seeds=range(30))
    except AssertionError as found:
        print(f"{job.__name__}: {found}")
        print(found.__notes__[0].partition("\n")[0])
    else:
        print(f"{job.__name__}: charged once in each of {done.runs} runs with {done.crashes} crashes")


if __name__ == "__main__":
    scenario_of(Charge)
    scenario_of(ChargeOnce)
