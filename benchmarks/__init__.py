"""Measurements of Exqueue and of its peers; none of it is in the wheel."""
