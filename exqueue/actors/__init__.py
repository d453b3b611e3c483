"""The actors of a system. `exqueue.actors.topology` is the tree; each actor has its own file."""
