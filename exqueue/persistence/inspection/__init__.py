"""Checking a store against the promises, and mending what breaks them.

Each backend tells what it holds as plain facts (`facts`), pure rules (`job_rules`, `queue_rules`) say what of that the
promises forbid, and the backend carries out the remedies (`remedies`). `check` puts them together, `shell` shows it.
"""
