"""Networks that look at a box again, one family a file."""
