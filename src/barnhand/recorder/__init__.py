"""Packets to fragments on disk and on the hub, chunk by chunk, whatever else is away."""
