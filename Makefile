# Everything sets itself up: a virtual environment in .venv, made again only when the dependencies change.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install --constraint constraints.txt

# ROOM=journal runs the tests of one room. COVERAGE=1
# measures what of the package they run, line by line and branch by branch, and fails below what has been reached.
WORKERS = $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')
PYTEST = $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal $(if $(COVERAGE),--cov --cov-report=term) \
	tests$(if $(ROOM),/$(ROOM))
# Some shells forbid Python to keep its bytecode; then every process that a test starts would compile the package again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast test-long lint bench bench-long bench-docs bench-check bench-report audit clean

help: ## Show what can be made.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|' 2>/dev/null \
		|| grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST)

demo: $(VENV)/.done-cli ## Send a campaign through the embedded sandbox, and see the report add up.
	@$(BIN)/python -m mensasdk demo

test: $(VENV)/.done-test ## Run the tests, in five minutes or less; ROOM=journal runs those of one room.
	@$(PYTEST)

test-fast: $(VENV)/.done-test ## Run the tests that are quick, in a minute or less.
	@$(PYTEST) --fast

test-long: $(VENV)/.done-test ## Run all tests in full: more examples, more kills, and every event loop.
	@MENSASDK_LONG=1 $(PYTEST)

lint: $(VENV)/.done-lint ## Check style and types: ruff, mypy --strict, and pyright from a user's side.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/pyright

bench: $(VENV)/.done-bench ## Measure beside what others would use; five minutes or so, results in benchmarks/results.
	@$(BIN)/python -m benchmarks

bench-long: $(VENV)/.done-bench ## The same at full size, with campaigns of a million; an hour, perhaps.
	@$(BIN)/python -m benchmarks --long

bench-docs: $(VENV)/.done-bench ## Write docs/benchmarks.md from the last run of bench or bench-long.
	@$(BIN)/python -m benchmarks --publish

bench-check: $(VENV)/.done-cli ## Count instructions under valgrind, and fail on a loss of more than 10 %.
	@$(BIN)/python -m benchmarks.instructions --check

bench-report: $(VENV)/.done-cli ## Print some ratios of times, in half a minute; never fails.
	@$(BIN)/python -m benchmarks --quick || echo "no ratios of times in this run"

# It asks the vulnerability database over the network, so neither a test nor another target depends on it. Without
# --strict it would call a success what it could not look at. The one advisory that is passed over concerns `future`, which
# smsutil, a library of the tests, asks for and does not import on Python 3; it is disputed besides.
audit: $(VENV)/.done-audit ## Look the pinned versions up in the database of known vulnerabilities (needs the network).
	@$(VENV)/audit/bin/pip-audit --strict --no-deps --disable-pip --ignore-vuln CVE-2025-50817 --requirement constraints.txt

clean: ## Remove the virtual environment and all caches.
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.done-python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "mensasdk needs Python 3.11 or later; say which with: make PYTHON=python3.12 ..." >&2; exit 1; }
	@echo "Setting up $(VENV) (once) ..."
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.done-cli: $(VENV)/.done-python pyproject.toml constraints.txt
	@$(PIP) --editable '.[cli]'
	@touch $@

$(VENV)/.done-test: $(VENV)/.done-python pyproject.toml constraints.txt
	@$(PIP) --editable '.[test]'
	@touch $@ $(VENV)/.done-cli

# Nobody's package is worth a run: one that does not install is left out, and the results say so.
$(VENV)/.done-bench: $(VENV)/.done-python pyproject.toml constraints.txt
	@$(PIP) --editable '.[cli]'
	@$(PIP) --editable '.[bench]' || $(BIN)/python -c 'import tomllib; \
		print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["bench"], sep="\n")' \
		| while read -r one; do $(PIP) "$$one" || echo "left out: $$one does not install"; done
	@touch $@ $(VENV)/.done-cli

# Apart from everything else: the tool's own dependencies are not to be mixed with ours.
$(VENV)/.done-audit: $(VENV)/.done-python
	@$(PYTHON) -m venv $(VENV)/audit
	@$(VENV)/audit/bin/python -m pip --disable-pip-version-check --quiet install 'pip-audit>=2.7'
	@touch $@

$(VENV)/.done-lint: $(VENV)/.done-python pyproject.toml constraints.txt
	@$(PIP) --editable '.[lint]'
	@touch $@ $(VENV)/.done-test $(VENV)/.done-cli
