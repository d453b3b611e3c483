"""Tests of exqueue.supervision."""
