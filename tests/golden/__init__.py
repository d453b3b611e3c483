"""What each format of stored data looked like, kept for ever: stores of old versions must be read, run and settled.

A directory a format. One that is there is never edited, whatever fails: when a format changes on purpose, write a new
one beside it, ``python -m tests.golden.write v2``, with a ``content.py`` of its own.
"""
