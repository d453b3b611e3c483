"""A simple and reliable background-job library: a supervision tree of actors over Redis, SQLite or memory."""

__version__ = "0.1.0.dev0"
