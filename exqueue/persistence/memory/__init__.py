"""The persistence in memory: for tests, and the reference meaning of each verb."""

from exqueue.persistence.memory.persistence import MemoryPersistence, open_memory

__all__ = ["MemoryPersistence", "open_memory"]
