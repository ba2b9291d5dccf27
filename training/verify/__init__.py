"""The verifier: a look at one box, to tell a horse from what a detector takes for one."""
