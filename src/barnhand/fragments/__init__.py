"""Fragmented MP4: written, named, read, decoded and listed for HLS."""
