"""Whole systems in bad weather: real servers that stop, hang, refuse, forget; real processes that die."""
