# Needs python3 (3.11 or newer, with venv) and make. Everything is installed into .venv, nothing outside this folder.

PYTHON ?= python3
WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test bench picture clean

help: ## say what there is to make
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1@\2/p' Makefile | awk -F@ '{printf "%-16s %s\n", $$1, $$2}'

demo: $(VENV)/ready-run ## set up, then the tour: a failover, a refused write, a recovery, a circuit held by hand
	@BIN=$(BIN) sh docs/demo/tour.sh

test: $(VENV)/ready-test ## set up (on Debian the database servers too), then style, types, import rules, all tests
	@sh tests/servers/install.sh
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile $(PYTEST)

bench: $(VENV)/ready-bench ## set up (on Debian the database servers too), then measure, and print the table of docs/performance.md
	@sh tests/servers/install.sh
	$(BIN)/python -m tests.bench

picture: $(VENV)/ready-run ## draw docs/status.svg anew, from a real run in the middle of a failover
	$(BIN)/python docs/demo/picture.py

clean: ## remove what was installed, measured and made; the topology's own state is not touched
	rm -rf $(VENV) demo-data build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find omnidb_cli tests docs -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "omnidb needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "this Python has no venv; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@echo "making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }

# Each stamp is older than pyproject.toml exactly when what is installed may no longer be what that asks for.
$(VENV)/ready-run: pyproject.toml | $(BIN)/python
	@echo "installing omnidb and what it needs into $(VENV)"
	@$(PIP) install --quiet --editable .
	@$(BIN)/python -m compileall -q omnidb_cli
	@touch $@

$(VENV)/ready-test: $(VENV)/ready-run
	@echo "installing what the tests need into $(VENV)"
	@$(call install_group,test)
	@touch $@

$(VENV)/ready-bench: $(VENV)/ready-test
	@echo "installing what is measured beside omnidb into $(VENV)"
	@$(call install_group,bench)
	@touch $@

# `pip install --group` needs pip 25.1; the venv of Python 3.11 brings 23.
install_group = $(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["$(1)"], sep="\n")' \
	  > $(VENV)/$(1).txt && $(PIP) install --quiet --requirement $(VENV)/$(1).txt

mutants: $(VENV)/ready-test ## put small faults into copies of the code, and say which of them no test notices
	nice -n 10 $(BIN)/python -m tests.mutants $(MUTANTS)
.PHONY: mutants
