"""Whole trees on one thread, in virtual time, in an order that a seed decides."""
