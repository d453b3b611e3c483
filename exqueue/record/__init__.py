"""What is stored of a job: its record, which never changes, and its trail, which tells how its runs failed."""

from exqueue.record.failure import MAX_MESSAGE, MAX_TRACEBACK, JobError, describe_error, shown_arguments
from exqueue.record.record import Header, Record, decode_record, encode_record, peek, peek_if_readable
from exqueue.record.trail import (
    MAX_ERRORS,
    Trail,
    decode_trail,
    decode_trail_if_readable,
    encode_trail,
    is_damaged_trail,
)

__all__ = [
    "MAX_ERRORS",
    "MAX_MESSAGE",
    "MAX_TRACEBACK",
    "Header",
    "JobError",
    "Record",
    "Trail",
    "decode_record",
    "decode_trail",
    "decode_trail_if_readable",
    "describe_error",
    "encode_record",
    "encode_trail",
    "is_damaged_trail",
    "peek",
    "peek_if_readable",
    "shown_arguments",
]
