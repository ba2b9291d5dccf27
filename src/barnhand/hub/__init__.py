"""The hub: what happens now, over the Redis protocol. Fragments, observations, states, events and checkpoints.

Nothing in the hub is the only copy of anything: chunks are on disk, rows in the spool.
"""
