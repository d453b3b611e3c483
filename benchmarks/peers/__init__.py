"""Exqueue beside its peers: the same job, one machine, one run."""
