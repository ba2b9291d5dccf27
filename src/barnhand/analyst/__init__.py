"""One camera's frames to observations."""
