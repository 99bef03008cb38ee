# Needs python3 (3.11 or newer, with venv) and make. Everything is installed below this folder: into .venv, or into
# .venvs/3.13 and the like where a Python is named (make demo PYTHON=python3.13). docs/development.md says more.

PYTHON ?= python3
WORKERS ?= 2
version_of = $(shell $(1) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || echo unusable)
VENV := $(if $(filter file,$(origin PYTHON)),.venv,.venvs/$(call version_of,$(PYTHON)))
BIN := $(VENV)/bin
PIP_INSTALL := -m pip --disable-pip-version-check --no-input install --quiet
UV := .venvs/lock/bin/uv
PARALLEL := -q -n $(WORKERS) --dist loadfile

# What runs on every Python that is found: the rest is about servers, and takes minutes. The tour is that of `make demo`.
SUITES := tests/core tests/topology tests/state tests/output tests/cli tests/project/test_tour.py

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test suites test-latest test-lowest bench mutants fuzz lock picture clean

help: ## say what there is to make
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1@\2/p' Makefile | awk -F@ '{printf "%-18s %s\n", $$1, $$2}'

demo: $(VENV)/ready-run ## set up, then the tour: a failover, a refused write, a recovery, a circuit held by hand
	@BIN=$(BIN) sh docs/demo/tour.sh

test: $(VENV)/ready-test ## set up (on Debian the database servers too), then style, types, import rules, all tests
	@sh tests/servers/install.sh
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/lint-imports
	@MAKE="$(MAKE)" sh tests/pythons.sh each $(BIN)/python suites
	$(BIN)/python -m pytest $(PARALLEL) -W error $(PYTEST)
	@sh tests/pythons.sh say $(BIN)/python

suites: $(VENV)/ready-test ## what `make test` runs on each other Python, on the one that is named: PYTHON=python3.13
	$(BIN)/python -m pytest $(PARALLEL) -W error $(SUITES) $(PYTEST)

test-latest: .venvs/latest/bin/python ## all tests with the newest versions that pyproject.toml allows, and without the lock
	@$(call groups,test) > .venvs/latest/test.txt
	$< $(PIP_INSTALL) --upgrade --upgrade-strategy eager --editable . --requirement .venvs/latest/test.txt
	$< -m pip --disable-pip-version-check list
	$< -m pytest $(PARALLEL) $(PYTEST)

test-lowest: .venvs/lowest/bin/python $(UV) ## all tests with the lowest versions that pyproject.toml allows
	@$(call groups,test) > .venvs/lowest/test.txt
	$(UV) pip compile --quiet --resolution lowest-direct --python $< pyproject.toml --output-file .venvs/lowest/run.txt
	$< $(PIP_INSTALL) --requirement .venvs/lowest/run.txt
	$< $(PIP_INSTALL) --constraint .venvs/lowest/run.txt --editable . --requirement .venvs/lowest/test.txt
	$< -m pip --disable-pip-version-check list
	$< -m pytest $(PARALLEL) $(PYTEST)

bench: $(VENV)/ready-bench ## set up (on Debian the database servers too), then measure, and print the table of docs/performance.md
	@sh tests/servers/install.sh
	$(BIN)/python -m tests.bench

mutants: $(VENV)/ready-test ## put small faults into copies of the code, and say which of them no test notices
	nice -n 10 $(BIN)/python -m tests.mutants $(MUTANTS)

fuzz: $(VENV)/ready-test ## ask thousands of servers that say anything, of every engine; FUZZ="--seed 7" asks others
	@for engine in postgresql mysql redis mongodb; do \
	  $(BIN)/python -m tests.fuzz $$engine --servers 20000 $(FUZZ) > /dev/null || exit 1; done

# All of them from one resolution, so that a package has the same version in each.
lock: $(UV) ## write requirements/ anew: the newest versions that pyproject.toml allows, with their hashes
	$(call compile,bench) pyproject.toml --group build --group test --group bench --upgrade
	$(call compile,test) pyproject.toml --group build --group test --constraint requirements/bench.txt
	$(call compile,run) pyproject.toml --group build --constraint requirements/bench.txt
	$(call compile,lock) --group lock --upgrade

picture: $(VENV)/ready-run ## draw docs/status.svg anew, from a real run in the middle of a failover
	$(BIN)/python docs/demo/picture.py

clean: ## remove what was installed, measured and made; the topology's own state is not touched
	rm -rf .venv .venvs demo-data build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find omnidb_cli tests docs -name __pycache__ -type d -prune -exec rm -rf {} +

%/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "omnidb needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "this Python has no venv; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@echo "making $* with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv --clear $* || { rm -rf $*; exit 1; }

# Each stamp is older than a file of requirements/ exactly when what is installed may no longer be what that asks for.
$(VENV)/ready-run: pyproject.toml requirements/run.txt | $(BIN)/python
	@echo "installing omnidb and what it needs into $(VENV)"
	@$(call locked,run)
	@$(BIN)/python $(PIP_INSTALL) --no-build-isolation --no-deps --editable .
	@$(BIN)/python -m compileall -q omnidb_cli
	@touch $@

$(VENV)/ready-%: requirements/%.txt $(VENV)/ready-run
	@echo "installing what $* needs into $(VENV)"
	@$(call locked,$*)
	@touch $@

$(UV): requirements/lock.txt | .venvs/lock/bin/python
	@.venvs/lock/bin/python $(PIP_INSTALL) --require-hashes --requirement $<
	@touch $@

locked = $(BIN)/python $(PIP_INSTALL) --require-hashes --requirement requirements/$(1).txt

# For every Python and every system at once; without the address of an index, which is the reader's own affair.
compile = UV_CUSTOM_COMPILE_COMMAND="make lock" $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --output-file requirements/$(1).txt

# `pip install --group` needs pip 25.1; the venv of Python 3.11 brings 23.
groups = $(PYTHON) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["$(1)"], sep="\n")'
