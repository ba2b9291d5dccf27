# Two commands: `make demo` shows BarnHand at work, `make test` proves it. Both set up what they need and say so.
.DEFAULT_GOAL := help
.ONESHELL:
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
BIN := .venv/bin
PAGE := src/barnhand/api/static/index.html

.PHONY: help setup web demo up test check format bench-networks bench-tracking bench-flow bench-recording test-training lock openapi screenshots

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

setup: .venv/.ready ## prepare .venv with .venv/bin/barnhand

.venv/.ready: requirements.lock pyproject.toml
	@echo "Installing the Python packages of requirements.lock into .venv (about 700 MB; a minute or two) ..."
	@python3 -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "BarnHand needs Python 3.11 as python3; found $$(python3 --version)." >&2; exit 1; }
	@test -x $(BIN)/python || python3 -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

web: $(PAGE) ## build the page

web/node_modules/.ready: web/package-lock.json | .venv/.ready
	@echo "Installing the page's packages of web/package-lock.json ..."
	@(cd web && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --no-audit --no-fund --loglevel=error)
	@touch $@

$(PAGE): $(shell find web -path web/node_modules -prune -o -type f -newer $(PAGE) -print 2>/dev/null) web/node_modules/.ready
	@echo "Building the page ..."
	@(cd web && PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent build)
	@touch $@

demo: setup web ## BarnHand with four demo cameras; prints the address
	@$(BIN)/barnhand demo

up: setup web ## BarnHand on your own cameras
	@$(BIN)/barnhand up

check: setup web/node_modules/.ready ## formatting, types, floors, eslint
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@(cd web && PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent check)

test: setup web ## every check and every test
	@bash scripts/system-packages.sh chromium postgresql redis-server ffmpeg
	@$(MAKE) --no-print-directory check
	@$(BIN)/pytest -n 2 --dist loadfile tests --ignore tests/training

test-training: setup ## the tests of training/, with PyTorch
	@bash scripts/system-packages.sh libegl1 libgl1-mesa-dri libgles2
	@echo "Installing PyTorch and what training needs into .venv ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[train]'
	@$(BIN)/mypy -p training
	@$(BIN)/pytest tests/training

format: setup ## format the Python code
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .

bench-networks: setup ## latency and quality of each network beside its yardsticks
	@$(BIN)/python -m benchmarks.networks

bench-tracking: setup ## identity kept by the tracker beside its peers
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	@$(BIN)/python -m benchmarks.tracking

bench-recording: setup ## processor share of recording beside ffmpeg
	@$(BIN)/python -m benchmarks.recording

bench-flow: setup web ## the whole flow: shares, latencies, alignment
	@$(BIN)/python -m benchmarks.flow

lock: setup ## write requirements.lock anew
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv lock --quiet --upgrade
	@$(BIN)/uv export --quiet --no-annotate --no-header --no-emit-project --group dev > requirements.lock
