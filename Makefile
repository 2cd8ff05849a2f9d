# Two commands matter: `make run` and `make test`. Everything else serves them.
#
#   PYTHON=/path/to/python3.11   which interpreter makes .venv
#   PORT=8000                    where `make run` listens
#   PYTEST="-n auto"             what `make test` passes to pytest

PYTHON ?= $(shell for p in python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null \
	&& command -v $$p && break; done || echo python3.11)
PORT ?= 8000
PYTEST ?= -n auto

BIN := .venv/bin
PACKAGES := app channels knowledge guardrails handlers ingest core
CODE := $(PACKAGES) tests scripts $(if $(wildcard benchmarks/*.py benchmarks/*/*.py),benchmarks)
COMPILE = $(BIN)/uv pip compile pyproject.toml --quiet --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links --python-version 3.11 $(LOCK_ARGS)

.DEFAULT_GOAL := help
# The steps of a target are in their order, also under -j.
.NOTPARALLEL:
.PHONY: help install install-dev run test test-services check check-format check-lint \
	check-types check-layers format lock docs eval demo-docs clean

help:
	@echo 'make run      the server on port $(PORT), with everything it needs'
	@echo 'make test     all tests, with everything they need'
	@echo 'make check    format, lint, types, layers'
	@echo 'also: install install-dev test-services format lock docs eval demo-docs clean'

install: .venv/.installed

install-dev: .venv/.installed-dev

.venv/.installed: requirements.lock pyproject.toml scripts/install.sh
	@sh scripts/install.sh "$(PYTHON)" requirements.lock
	@touch $@

# The development lock holds the whole of the other one.
.venv/.installed-dev: requirements-dev.lock requirements.lock pyproject.toml scripts/install.sh
	@sh scripts/install.sh "$(PYTHON)" requirements-dev.lock
	@touch .venv/.installed $@

run: install
	@exec $(BIN)/usher up --port $${PORT:-$(PORT)}

test-services: install-dev
	@$(BIN)/python scripts/test_services.py

# Without bytecode each pytest process would rewrite every test anew, and each server a test starts compile us.
test: export PYTHONDONTWRITEBYTECODE =
test: install-dev test-services
	$(BIN)/pytest $(PYTEST)

# `make -k check` goes on after a failure and tells them all.
check: check-format check-lint check-types check-layers

check-format: install-dev
	$(BIN)/ruff format --check $(CODE)

check-lint: install-dev
	$(BIN)/ruff check $(CODE)

check-types: install-dev
	$(BIN)/mypy $(CODE)

check-layers: install-dev
	$(BIN)/lint-imports

format: install-dev
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

# Versions only. `make lock LOCK_ARGS=--upgrade` moves everything to the newest.
lock: install-dev
	$(COMPILE) --group build -o requirements.lock
	$(COMPILE) --group dev -c requirements.lock -o requirements-dev.lock

docs: install-dev
	$(BIN)/python -m app.describe --write

eval: install-dev
	$(BIN)/python -m benchmarks.quality --data ../shared/data --write

# The ten-minute demo of knowledge against a server of its own; ends at the first promise not kept.
demo-docs: install
	$(BIN)/python -m scripts.demo_docs

# var/ is data and stays.
clean:
	rm -rf .venv dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find $(PACKAGES) tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +
