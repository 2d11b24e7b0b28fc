# Everything sets itself up: a virtual environment in .venv, made again only when the dependencies change.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo test test-long lint bench audit clean

help: ## Show what can be made.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|' 2>/dev/null \
		|| grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST)

demo: $(VENV)/.done-cli ## Send a campaign through the embedded sandbox, and see the report add up.
	@$(BIN)/python -m mensasdk demo

test: $(VENV)/.done-test ## Run all tests.
	@$(BIN)/python -m pytest

test-long: $(VENV)/.done-test ## Run all tests, with the long form of those that kill processes.
	@MENSASDK_LONG=1 $(BIN)/python -m pytest

lint: $(VENV)/.done-lint ## Check style and types: ruff, mypy --strict, and pyright from a user's side.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/pyright

bench: $(VENV)/.done-cli ## Measure, as ratios to something measured in the same run.
	@for file in benchmarks/bench_*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

# It asks the vulnerability database over the network, so neither a test nor another target depends on it. Without
# --strict it would call a success what it could not look at.
audit: $(VENV)/.done-audit ## Look the pinned versions up in the database of known vulnerabilities (needs the network).
	@$(VENV)/audit/bin/pip-audit --strict --no-deps --disable-pip --requirement constraints.txt

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

# Apart from everything else: the tool's own dependencies are not to be mixed with ours.
$(VENV)/.done-audit: $(VENV)/.done-python
	@$(PYTHON) -m venv $(VENV)/audit
	@$(VENV)/audit/bin/python -m pip --disable-pip-version-check --quiet install 'pip-audit>=2.7'
	@touch $@

$(VENV)/.done-lint: $(VENV)/.done-python pyproject.toml constraints.txt
	@$(PIP) --editable '.[lint]'
	@touch $@ $(VENV)/.done-test $(VENV)/.done-cli
