"""Stores that are broken in every way, found out, and mended."""
