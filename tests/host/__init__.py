"""Exqueue inside other people's programs: real processes that end, fork, are interrupted, or serve something else."""
