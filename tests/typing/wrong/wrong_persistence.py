"""Persistences of one's own that lack something, or answer something else."""

from exqueue.persistence.base import Persistence, Session, Subscription
from exqueue.persistence.memory import open_memory
from exqueue.persistence.urls import Opener


class Closed:
    """Can't be listened to."""

    address = "closed"
    namespace = "default"

    def session(self, *, timeout: float, pooled: bool = False) -> Session:
        return open_memory("memory://", "default").session(timeout=timeout, pooled=pooled)

    def close(self) -> None: ...


class Deaf(Closed):
    """Listens to nobody in particular."""

    def subscribe(self, *, timeout: float) -> Subscription:
        return open_memory("memory://", "default").subscribe("token", timeout=timeout)


def open_without_namespace(url: str) -> Persistence:
    """Forget the namespace."""
    return open_memory(url, "default")


def open_session(url: str, namespace: str) -> Session:
    """Answer a session."""
    return open_memory(url, namespace).session(timeout=1.0)


def program() -> None:
    """One mistake a line."""
    persistences: list[Persistence] = [Closed()]  # error: wrong type
    persistences.append(Deaf())  # error: wrong type
    openers: list[Opener] = [open_without_namespace]  # error: wrong type
    openers.append(open_session)  # error: wrong type
    persistences[0].session()  # error: missing
    print(persistences[0].session(timeout=1.0).queues() + 1)  # error: wrong operand
