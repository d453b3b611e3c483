"""How the arguments of a job become bytes and values again: plain data and registered types, no import by name."""

from exqueue.codec.codec import Codec, default_codec
from exqueue.codec.kinds import Unknown
from exqueue.codec.learn import learn_parameters
from exqueue.codec.walk import MAX_DEPTH, MAX_PAYLOAD

__all__ = ["MAX_DEPTH", "MAX_PAYLOAD", "Codec", "Unknown", "default_codec", "learn_parameters"]
