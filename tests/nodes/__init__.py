"""Nodes as real processes: killed, frozen, stopped and replaced while they work."""
