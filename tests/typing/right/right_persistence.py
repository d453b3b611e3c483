"""A persistence of one's own: what `exqueue.persistence.base` asks for, and what opens it for a URL."""

from exqueue.persistence.base import Persistence, Session, Subscription
from exqueue.persistence.memory import open_memory
from exqueue.persistence.urls import Opener


class CountingPersistence:
    """Counts its sessions, and leaves the rest to another persistence."""

    def __init__(self, inner: Persistence) -> None:
        self._inner = inner
        self.sessions = 0

    @property
    def address(self) -> str:
        return f"counting {self._inner.address}"

    @property
    def namespace(self) -> str:
        return self._inner.namespace

    def session(self, *, timeout: float, pooled: bool = False) -> Session:
        self.sessions += 1
        return self._inner.session(timeout=timeout, pooled=pooled)

    def subscribe(self, token: str, *, timeout: float) -> Subscription:
        return self._inner.subscribe(token, timeout=timeout)

    def close(self) -> None:
        self._inner.close()


def open_counting(url: str, namespace: str) -> CountingPersistence:
    """Open what is registered in the group ``exqueue.persistence``."""
    return CountingPersistence(open_memory(url.replace("counting", "memory"), namespace))


def main() -> None:
    """Use it as a system does."""
    opener: Opener = open_counting
    persistence: Persistence = opener("counting://", "default")
    session = persistence.session(timeout=1.0)
    queues: tuple[str, ...] = session.queues()
    assert queues == ()
    assert isinstance(persistence, CountingPersistence)
    assert persistence.sessions == 1
    session.close()
    persistence.close()


if __name__ == "__main__":
    main()
