"""Benchmarks; each prints its figures beside a yardstick of the same run."""

import barnhand as barnhand  # first of all: it sets how many threads numpy uses
