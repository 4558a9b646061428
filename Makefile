# heliograph: every command a newcomer needs. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test check types bench soak docs clean

help: ## List these commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 16

setup: $(STAMP) ## Make the virtual environment with all that demo and tests need (no root)

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "heliograph needs Python 3.11 or newer; $(PYTHON) is older. Name another with PYTHON=python3.12 make setup" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing heliograph and its tests into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $(STAMP)

demo: $(STAMP) ## Start server and sandbox, send the documented example, show where to look
	@$(BIN)/heliograph demo $(ARGS)

test: $(STAMP) ## Run every test and every check of the house
	@$(BIN)/ruff check src tests benchmarks
	@$(BIN)/ruff format --check --quiet src tests benchmarks || { echo "Some files are not formatted: run $(BIN)/ruff format src tests benchmarks" >&2; exit 1; }
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/pytest -n 2 --dist loadfile $(ARGS)

types: $(STAMP) ## Check the types
	@$(BIN)/mypy

bench: $(STAMP) ## Measure one synchronous alert against a floor that only forwards it
	@$(BIN)/python benchmarks/sync_alert.py $(ARGS)

soak: $(STAMP) ## Kill the server for a long time under load, and play ten thousand schedules of falling back
	@HELIOGRAPH_SCHEDULES=$${SCHEDULES:-10000} $(BIN)/pytest tests/flow/test_fallback_property.py
	@HELIOGRAPH_CONVERSATIONS=$${CONVERSATIONS:-2000} $(BIN)/pytest tests/flow/test_converse_property.py
	@HELIOGRAPH_KILLS=$${KILLS:-300} $(BIN)/pytest tests/journey/test_kill.py -s

docs: $(STAMP) ## Write the generated reference pages again
	@$(BIN)/python docs/generate.py

clean: ## Remove the virtual environment and caches
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis heliograph-demo
