"""Whole systems on one thread, in virtual time, where a seed decides all that is left to chance.

Needs greenlet: ``pip install exqueue[simulation]``.
"""
