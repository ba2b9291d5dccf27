"""H.265 made H.264 for those who cannot play it: live, from recordings, and as clips to keep."""
