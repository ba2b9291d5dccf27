"""The records every room exchanges, geometry, skeletons, time and the error tree. Standard library and numpy only."""
