# make review   review the newest change of this checkout (REPO=… RANGE=… for another)
# make test     the test suite
# make check    lint + types + layers + docs + tests: what CI runs
#
# torch is pinned, since a range would bring gigabytes of CUDA on Linux. Elsewhere:
#   make test TORCH="torch --index-url https://download.pytorch.org/whl/cpu"

PYTHON ?= python3
TORCH  ?= torch==2.13.0
VENV   ?= .venv
REPO   ?= $(CURDIR)
RANGE  ?= HEAD
CLONES ?= ../clones
PYTEST_ARGS ?= -n 2

BIN := $(VENV)/bin
NODE := tests/github/node_modules/.installed
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: review test node check lint types layers docs model lock clean

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv $(VENV)

# Reviewing needs the core alone: no torch, no transformers.
$(VENV)/.core: pyproject.toml | $(BIN)/python
	$(PIP) --editable .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(PIP) $(TORCH)
	$(PIP) --editable '.[train,encoder,dask,plot,server,claude,research,dev]'
	@touch $@ $(VENV)/.core

# Exits 0 whenever a report was printed, also one that says the change could not be scored (exit code 3).
review: $(VENV)/.core
	@rm -f $(VENV)/report.txt
	@$(BIN)/oversight review --repo '$(REPO)' --output $(VENV)/report.txt -- '$(RANGE)' || test $$? -eq 3
	@cat $(VENV)/report.txt

test: $(VENV)/.dev node
	$(BIN)/python -m pytest $(PYTEST_ARGS)

# What GitHub says of its own interface comes from npm. Without it the tests that need it skip, which .ci/run forbids.
node:
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory $(NODE) || echo 'npm failed: tests will skip'; \
	else echo 'npm is missing: tests will skip'; fi

$(NODE): tests/github/package-lock.json
	npm ci --prefix tests/github --silent
	@touch $@

lint: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.dev
	$(BIN)/mypy

layers: $(VENV)/.dev
	$(BIN)/lint-imports

# The examples in docstrings hold, and the pages that commands write are what they write.
docs: $(VENV)/.dev
	$(BIN)/python -m pytest --quiet --doctest-modules oversight integrations/oversight_github integrations/oversight_server
	$(BIN)/python -m oversight.cli.reference | diff docs/CLI.md -
	$(BIN)/python -m oversight.reviewers.principles | diff docs/PRINCIPLES.md -
	$(BIN)/python -m oversight_github.action.reference | diff docs/ACTION.md -
	$(BIN)/python -m oversight_server.reference | diff docs/SERVER.md -

check: lint types layers docs test

# The shipped model, from clones of the repositories that benchmarks/ship.py names.
model: $(VENV)/.dev
	$(BIN)/python -m benchmarks.ship '$(CLONES)'

# What the GitHub Action and the server's image install: every version with its hashes, for all systems and Pythons at once.
lock: $(VENV)/.dev
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --only-binary :all: \
	  --no-header --no-annotate --no-emit-index-url --no-emit-find-links --extra github pyproject.toml \
	  --output-file integrations/oversight_github/action/requirements.txt
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --only-binary :all: \
	  --no-header --no-annotate --no-emit-index-url --no-emit-find-links --extra server pyproject.toml \
	  --output-file deploy/requirements.txt
	echo 'hatchling>=1.27' | $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	  --only-binary :all: --no-header --no-annotate --no-emit-index-url --no-emit-find-links - \
	  --output-file deploy/requirements-build.txt

clean:
	rm -rf $(VENV) tests/github/node_modules dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
