"""Appearance networks, one family a file."""
