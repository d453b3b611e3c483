"""Looks after every step whether each promise was kept, excused only where the promises themselves excuse.

Names of what can be broken:

- accounted: every stored job is in exactly one place, and goes only where the verb that moved it may take it; what a
  client was told to be stored is.
- removed: only success, or what a person ordered, takes a job out of the store; an order is carried out once.
- fenced: only who claimed a queue last can fetch and settle, and a claim needs a higher epoch.
- one leader: no lock is given while another's lease stands; none is taken from who lives; epochs only grow.
- untrue: a run is settled as what it was; a job was lost as often as the store counts.
- repeated: no run begins twice, and none that ended or goes on is handed out again without one of the excuses.
- limited: no more runs at once than allowed; a serial queue in its order; suspects one at a time.
- buried: only for too many failures, or for taking too many nodes with it.
- given back: who releases the lock has nothing under way.
"""

from __future__ import annotations

import copy
from collections import Counter
from typing import TYPE_CHECKING, Any

from exqueue import current_job
from exqueue.persistence.values import Bury, Done, Fence, GiveBack, Recovered, Retry
from exqueue.testing.simulation.store import opened
from tests.proof.limits import ROUNDED_S, Limits
from tests.proof.load import BACKOFF_S, MAX_RECOVERIES, MAX_RETRIES
from tests.proof.reigns import Reigns
from tests.proof.runs import Runs
from tests.proof.shadow import Broken, Lease, RunKey, Shadow, look
from tests.proof.transitions import is_allowed, is_true_of, key_of, settlement_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from exqueue.persistence.values import Holder
    from exqueue.testing.simulation.network import Effect
    from exqueue.testing.simulation.store import StoreCopy
    from exqueue.testing.simulation.world import World
    from tests.proof.load import Planned
    from tests.proof.shadow import Place

CALM_FOR_S = 10.0
"""So long after the last trouble nothing excuses that a living leader loses the lock."""

Saved = tuple["StoreCopy", Shadow]


class Oracle:
    """Watches one world; the first broken promise is kept in `broken`.

    Attributes:
        broken: what was broken first.
        era: how often the store has lost what it had acknowledged.
        shadow: what the store must hold.
        troubled_at: when something last went wrong that was meant to.
        shaken_at: as that, but for stops in good order.
        stopping: until when nodes that stop wait for their jobs, by name.
        killed_by_jobs: the tokens of the systems that a job has ended.
        checks: how often it has looked.
        asks: how often clients have asked for each job to be stored.
        orders: what people have ordered, and to which job or queue.
        undone: how many deaths of each job the store has lost, whether or not they were said before.
        taken_up: when somebody last revived or deleted a dead job: who did that knew.
    """

    def __init__(self, world: World) -> None:
        self.broken: Broken | None = None
        self.era = 0
        self.shadow = Shadow()
        self.runs = Runs()
        self.reigns = Reigns(world)
        self.jobs: dict[str, Planned] = {}
        self.troubled_at = self.shaken_at = 0.0
        self.stopping: dict[str, float] = {}
        self.killed_by_jobs: set[str] = set()
        self.checks = 0
        self.asks: Counter[str] = Counter()
        self.orders: Counter[tuple[str, str]] = Counter()
        self.undone: Counter[str] = Counter()
        self.taken_up: dict[str, float] = {}
        self._world = world
        self._store = opened(world.network.store)
        self._limits = Limits(self._store, self.jobs)
        world.network.watchers.append(lambda effect: self._guarded(lambda: self._see(effect)))

    def _guarded(self, look_at: Callable[[], None]) -> None:
        """What is broken must not come out in the actor that happens to have its turn: to be raised it waits here."""
        if self.broken is not None:
            return
        try:
            look_at()
        except Broken as broken:
            self._world.note("oracle", "broken", str(broken))
            self.broken = broken

    # -- the store loses what it had acknowledged
    def save(self) -> Saved:
        """What the store holds now, and what is known of it."""
        return self._world.network.copy(), copy.deepcopy(self.shadow)

    def go_back(self, saved: Saved) -> None:
        """Let the store hold that again."""
        held, shadow = saved
        self._world.network.go_back(held)
        self._world.chronicle.forget()
        self.undone.update(job_id for _, job_id in self.shadow.deaths[len(shadow.deaths) :])
        self.shadow = copy.deepcopy(shadow)
        self.era += 1
        self.reigns.lost()

    # -- what clients, people and jobs do; see `tests.proof.load.Hears`
    def asked(self, planned: Planned) -> None:
        """A client is about to enqueue it, or does so again."""
        self.jobs[planned.id] = planned
        self.asks[planned.id] += 1

    def accepted(self, planned: Planned, asked_in: int) -> None:
        """A client was told that it is stored."""

        def look_at() -> None:
            if asked_in == self.era and not self.shadow.lives[planned.id]:
                raise Broken(f"accounted: {planned.id} was said to be stored, and never was")

        self._guarded(look_at)

    def ordered(self, order: Any) -> None:
        """A person is about to give an order."""
        kind = type(order).__name__
        to = getattr(order, "id", None) or getattr(order, "queue", None) or getattr(order, "name", None)
        self.orders[kind, str(to)] += 1

    def begins(self, node: str) -> None:
        """The current job begins here."""
        self._guarded(lambda: self._begins(self._current_key(), node))

    def ends(self, node: str, *, well: bool) -> None:
        """The current job is about to return, or to raise."""
        self.runs.end(self._current_key(), well=well)
        self.runs.ended_at[self._current_key()] = self._world.now

    def kills(self, node: str) -> None:
        """The current job is about to end its node."""
        self.killed_by_jobs.add(self._world.nodes[node].token)

    @staticmethod
    def _current_key() -> RunKey:
        it = current_job()
        assert it is not None
        return RunKey(it.id, it.epoch, *it.run)

    def _begins(self, key: RunKey, node: str) -> None:
        self.checks += 1
        self.runs.begin(key, node, self._world.nodes[node].token, self.era)
        queue = self.jobs[key.id].queue
        owner = self.shadow.owner(queue)
        if owner.fence is not None and (owner.fence.epoch, owner.node) == (key.epoch, node):
            if self.shadow.keys.get(key.id) != key and not self.era:
                raise Broken(f"repeated: {key} begins on {node}, but that is not how the job runs")
            if self.shadow.lost(key.id) >= MAX_RECOVERIES and not self.era:
                raise Broken(f"buried: {key} begins, and was lost {self.shadow.lost(key.id)} times")
            return
        led = self._world.nodes[node].table("lead").get("fence")
        if led is not None and led.epoch > key.epoch and not self.era:
            raise Broken(f"repeated: {key} begins on {node}, which leads with {led.epoch} by now")

    # -- what the store does
    def _see(self, effect: Effect) -> None:
        self.checks += 1
        verb, node = effect.request.verb, effect.request.node
        self.reigns.calls(node)
        if effect.error is not None:
            self._see_unchanged(effect)
            return
        match verb:
            case "push" | "claim" | "exchange" | "retry_dead" | "delete_dead" | "cancel":
                self._see_jobs(effect)
            case "acquire" if isinstance(effect.answer, Fence):
                self._acquired(effect.request.named, effect.answer)
            case "renew" if effect.answer:
                call = effect.request.named
                self._lend(call["fence"], node, call["ttl"])
            case "release" if effect.answer:
                self._released(effect.request.named["fence"], node)
            case "evict" if effect.answer:
                self._evicted(effect.request.named["seen"])

    def _queues(self, verb: str, call: dict[str, Any]) -> list[str]:
        if verb == "push":
            return list(dict.fromkeys(push.queue for push in call["pushes"]))
        return [call["queue"]] if "queue" in call else []

    def _see_unchanged(self, effect: Effect) -> None:
        for queue in self._queues(effect.request.verb, effect.request.named):
            if look(self._store.queue(queue)) != self.shadow.places.get(queue, {}):
                raise Broken(f"accounted: {effect.request.verb} was refused, and changed {queue} all the same")

    def _see_jobs(self, effect: Effect) -> None:
        verb, call = effect.request.verb, effect.request.named
        if verb == "claim":
            self._claimed(call["queue"], call["fence"], effect.request.node)
        if verb == "exchange" and call["fence"] != self.shadow.owner(call["queue"]).fence:
            raise Broken(f"fenced: {effect.request.node} works {call['queue']} with {call['fence']}")
        for queue in self._queues(verb, call):
            before, after = self.shadow.places.get(queue, {}), look(self._store.queue(queue))
            if self.shadow.is_new_command(call) and not is_true_of(verb, call, effect.answer, before, after):
                raise Broken(f"untrue: {verb} was answered {effect.answer}, which is not what it did in {queue}")
            if before == after:
                continue
            for job_id in sorted(before.keys() | after.keys()):
                was, now = before.get(job_id), after.get(job_id)
                if was != now:
                    if not is_allowed(verb, call, effect.answer, job_id, was, now):
                        raise Broken(f"accounted: {verb} took {job_id} from {was} to {now}")
                    self._moved(effect, queue, job_id, was, now)
                    self._see_losses(queue, job_id)
            self.shadow.places[queue] = after
            if verb == "exchange":
                self._limits.see(self.shadow, call, before, after, self._world.now)

    def _see_losses(self, queue: str, job_id: str) -> None:
        kept = self._store.queue(queue).jobs.get(job_id)
        if kept is not None and len(kept.recovered_at) != self.shadow.lost(job_id):
            raise Broken(f"untrue: {job_id} was lost {self.shadow.lost(job_id)} times, not {len(kept.recovered_at)}")

    # -- one job
    def _moved(self, effect: Effect, queue: str, job_id: str, was: Place | None, now: Place | None) -> None:
        verb, call, shadow = effect.request.verb, effect.request.named, self.shadow
        line = shadow.lines.setdefault(queue, [])
        if was is not None and was.run is not None:
            if verb == "exchange":
                ended = settlement_of(call, effect.answer, job_id, was.run)
                self._settled(shadow.keys[job_id], ended, effect.request.node)
            shadow.keys.pop(job_id)
        if (now is None or now.state == "dead") and job_id in line:
            line.remove(job_id)
        if now is None and shadow.heads.get(queue) == job_id:
            del shadow.heads[queue]
        is_promoted = verb == "exchange" and was is not None and was.state == "waiting"
        if is_promoted and shadow.due[job_id] > self._world.now + ROUNDED_S:
            raise Broken(f"limited: {job_id} is promoted, and due at {shadow.due[job_id]:.3f} s")
        if now is not None and now.run is not None:
            shadow.keys[job_id] = key_of(job_id, call["fence"].epoch, now.run)
        if verb == "push":
            self._stored(job_id)
            shadow.due[job_id] = self._world.now + self.jobs[job_id].delay_s
            line.append(job_id)
        elif verb == "retry_dead":
            self._revived(queue, job_id)
            line.append(job_id)
        elif verb in ("delete_dead", "cancel"):
            self._removed(queue, job_id)
        if was is not None and was.state == "dead":
            self.taken_up[job_id] = self._world.now

    def _stored(self, job_id: str) -> None:
        self.shadow.begin_anew(job_id)
        self.shadow.lives[job_id] += 1
        if self.shadow.lives[job_id] > self.asks[job_id]:
            raise Broken(f"repeated: {job_id} was stored once more than anybody asked")

    def _revived(self, queue: str, job_id: str) -> None:
        self.shadow.begin_anew(job_id)
        self.shadow.revivals[job_id] += 1
        if self.shadow.revivals[job_id] > self._orders("Retry", queue, job_id):
            raise Broken(f"removed: {job_id} was revived once more than anybody ordered")

    def _removed(self, queue: str, job_id: str) -> None:
        if not self._orders("Delete", queue, job_id) + self.orders["CancelJob", job_id]:
            raise Broken(f"removed: {job_id} was removed, and nobody had ordered it")

    def _orders(self, what: str, queue: str, job_id: str) -> int:
        return self.orders[f"{what}Dead", job_id] + self.orders[f"{what}AllDead", queue]

    # -- how a run was settled
    def _settled(self, key: RunKey, ended: Any, node: str) -> None:
        well = self.runs.ended.get(key)
        match ended:
            case Done():
                if well is not True:
                    raise Broken(f"untrue: {key} was settled as done, but it {_said(well)}")
            case Retry(trail=trail, delay=delay):
                if trail is None or well is not False:
                    raise Broken(f"untrue: {key} was settled to be retried, but it {_said(well)}")
                if delay != BACKOFF_S:
                    raise Broken(f"untrue: {key} is retried in {delay} s")
                self.shadow.failures[key.id] += 1
                self.shadow.due[key.id] = self._world.now + delay
                if self.shadow.failures[key.id] > MAX_RETRIES:
                    raise Broken(f"buried: {key.id} is retried after {self.shadow.failures[key.id]} failures")
            case Bury():
                self._buried(key, well)
            case GiveBack():
                self._given_back(key, node)
            case Recovered():
                raise Broken(f"repeated: {key} was settled as lost with its worker, and none died")

    def _buried(self, key: RunKey, well: bool | None) -> None:
        shadow, job_id = self.shadow, key.id
        shadow.deaths.append((self._world.now, job_id))
        if well is False and shadow.failures[job_id] + 1 > MAX_RETRIES:
            return
        if well is not None or key in self.runs.begun or shadow.lost(job_id) < MAX_RECOVERIES:
            raise Broken(f"buried: {key} {_said(well)}, after {shadow.failures[job_id]} failures")
        if not self.jobs[job_id].kills and set(shadow.losses[job_id]) == {"a job"} and self._has_one_poison():
            raise Broken(f"buried: {job_id} is innocent, and was buried for what another did")

    def _has_one_poison(self) -> bool:
        """Poison that somebody stores or revives once more is another one."""
        lives = self.shadow.lives + self.shadow.revivals
        return sum(lives[job_id] for job_id, planned in self.jobs.items() if planned.kills) == 1

    def _given_back(self, key: RunKey, node: str) -> None:
        if key not in self.runs.begun or self.runs.is_older(key, self.era):
            return
        limit = self.stopping.get(node)
        if limit is None or self.runs.ended_at.get(key, limit) < limit:
            raise Broken(f"repeated: {key} {_said(self.runs.ended.get(key))}, and was given back")

    # -- who leads
    def _claimed(self, queue: str, fence: Fence, node: str) -> None:
        owner = self.shadow.owner(queue)
        if fence == owner.fence:
            return
        if owner.fence is not None and fence.epoch <= owner.fence.epoch:
            raise Broken(f"fenced: {node} claims {queue} with {fence} after {owner.fence}")
        by = "a job" if owner.fence is not None and owner.fence.token in self.killed_by_jobs else "a fault"
        recovered = [job_id for job_id, at in self.shadow.places.get(queue, {}).items() if at.state == "running"]
        self.reigns.claimed(queue, node, fence.token, recovered)
        for job_id in recovered:
            self.shadow.losses.setdefault(job_id, []).append(by)
        owner.fence, owner.node = fence, node

    def _acquired(self, call: dict[str, Any], fence: Fence) -> None:
        lease = self.shadow.lease
        if lease is not None and lease.until > self._world.now and lease.fence.token != fence.token:
            raise Broken(f"one leader: {call['node']} was given the lock while {lease.node} holds it")
        if fence != self.shadow.last_fence and fence.epoch <= self.shadow.last_epoch:
            raise Broken(f"one leader: {fence} after epoch {self.shadow.last_epoch}")
        self.shadow.last_epoch, self.shadow.last_fence = fence.epoch, fence
        self.reigns.granted(call["node"], fence.token)
        self._lend(fence, call["node"], call["ttl"])

    def _lend(self, fence: Fence, node: str, ttl: float) -> None:
        self.shadow.lease = Lease(fence, node, self._world.now + ttl)
        self.reigns.lent(fence, self._world.now + ttl)

    def _released(self, fence: Fence, node: str) -> None:
        shadow = self.shadow
        if shadow.lease is not None and shadow.lease.fence == fence:
            shadow.lease = None
        if shadow.last_fence == fence:
            shadow.last_fence = None
        left = [
            job_id
            for queue, places in self.shadow.places.items()
            if self.shadow.owner(queue).fence == fence
            for job_id, place in places.items()
            if place.state == "running"
        ]
        if left and self._world.now - self.shaken_at > CALM_FOR_S:
            raise Broken(f"given back: {node} gives up the lock, and {', '.join(left)} still run")

    def _evicted(self, seen: Holder) -> None:
        node = self._world.nodes[seen.node]
        self.shadow.lease = None
        if node.token == seen.token and not node.has_ended and not node.owner.is_frozen and self._is_calm():
            raise Broken(f"one leader: the lock was taken from {seen.node}, which lives")

    def _is_calm(self) -> bool:
        return self._world.now - self.troubled_at > CALM_FOR_S


def _said(well: bool | None) -> str:
    return {None: "did not end", True: "succeeded", False: "failed"}[well]
