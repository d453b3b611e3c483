"""The persistence in Redis (6.2 or newer) or Valkey."""

from exqueue.persistence.redis.persistence import RedisPersistence, open_redis

__all__ = ["RedisPersistence", "open_redis"]
