# Needs Python 3.11 or later, and nothing else; everything is installed into .venv.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
DATA ?= data
PYTEST_ARGS ?=
BENCH_ARGS ?=
WORST_ARGS ?=
FUZZ_SECONDS ?= 60

.PHONY: help run demo test test-long lint format fuzz bench worst wheel clean

help: ## Show what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "zkpush needs Python 3.11 or later on the PATH"; exit 1; }
	@echo "Making a virtual environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv is missing (apt install python3-venv)"; exit 1; }
	@$(BIN)/python -m pip install --quiet --upgrade pip

$(VENV)/installed: setup.cfg pyproject.toml | $(BIN)/python
	@echo "Installing zkpush and its libraries into $(VENV): about a minute ..."
	@$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/installed-for-tests: setup.cfg pyproject.toml | $(BIN)/python
	@echo "Installing zkpush and the tools of its tests into $(VENV): a minute or two ..."
	@$(BIN)/python -m pip install --quiet --editable '.[test,lint]'
	@touch $@ $(VENV)/installed

# The tests compile a TypeScript client where there is npm; they do not use the network themselves.
$(VENV)/node/installed: tests/openapi/typescript/package.json | $(BIN)/python
	@mkdir -p $(VENV)/node && cp $< $(VENV)/node/
	@! command -v npm > /dev/null \
		|| { npm install --prefix $(VENV)/node --no-audit --no-fund --no-package-lock --silent && touch $@; }

$(VENV)/installed-for-fuzzing: $(VENV)/installed-for-tests
	$(BIN)/python -m pip install --quiet --editable '.[test,fuzz]'
	@touch $@

run: $(VENV)/installed ## Run the daemon on SQLite in ./data, terminals on port 8081
	@echo "For the console, in a second shell: $(BIN)/zkpush --data $(DATA) console setup"
	@echo "For the command line: $(BIN)/zkpush --data $(DATA) devices list"
	@echo "In a terminal's menu: server $$(hostname -I 2>/dev/null | cut -d' ' -f1), port 8081"
	$(BIN)/twistd --nodaemon --pidfile= zkpush --data $(DATA)

demo: $(VENV)/installed ## Run the daemon and simulated terminals together for half a minute
	$(BIN)/python scripts/demo.py

# Bytecode is kept even where it is not wanted beside the code: each worker compiles all tests else.
test test-long: export PYTHONDONTWRITEBYTECODE =
test test-long: export PYTHONPYCACHEPREFIX = $(CURDIR)/$(VENV)/bytecode
test: $(VENV)/installed-for-tests $(VENV)/node/installed ## Run the tests but the long ones; PYTEST_ARGS=--cov counts what they reach
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal -m "not long" $(PYTEST_ARGS)

test-long: $(VENV)/installed-for-tests $(VENV)/node/installed ## Run the long tests: browsers, killed daemons, walks over all pages
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal -m long $(PYTEST_ARGS)

lint: $(VENV)/installed-for-tests wheel ## Check format, style, types, floors, news and the wheel
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/towncrier build --draft --version 0 > /dev/null

format: $(VENV)/installed-for-tests ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

fuzz: $(VENV)/installed-for-fuzzing ## Fuzz what reads bytes from outside, each part for FUZZ_SECONDS (60)
	$(BIN)/python -m fuzz --seconds $(FUZZ_SECONDS)

bench: $(VENV)/installed-for-tests ## Measure what the work costs; BENCH_ARGS=--quick for a short run
	$(BIN)/python -m bench $(BENCH_ARGS)

worst: $(VENV)/installed-for-tests ## Search for uploads that cost much; WORST_ARGS=--keep keeps them for the benchmark
	$(BIN)/python -m bench.worst $(WORST_ARGS)

wheel: $(VENV)/installed-for-tests ## Build the wheel, install it elsewhere, and find the plugin there
	scripts/check-wheel $(BIN)/python

clean: ## Remove what was installed and built
	rm -rf $(VENV) build dist *.egg-info
