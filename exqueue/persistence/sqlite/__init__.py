"""The persistence in one SQLite file (SQLite 3.37 or newer), shared by the processes of one host."""

from exqueue.persistence.sqlite.persistence import SqlitePersistence, open_sqlite

__all__ = ["SqlitePersistence", "open_sqlite"]
