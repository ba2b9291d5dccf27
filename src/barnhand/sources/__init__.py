"""Cameras, files and streams as packets; and a server that plays a camera."""
