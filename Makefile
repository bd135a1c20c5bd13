# Alchemiser: `make` lists the targets. Each one sets up what it needs.
SHELL := bash
.DEFAULT_GOAL := help
BIN := .venv/bin

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

.PHONY: setup
setup: ## Make the environment (.venv) from the pinned locks
	@tools/setup.sh

.PHONY: demo
demo: setup ## Run one trading cycle and the next 60 sessions on a simulated exchange; ends in a table and a page
	@$(BIN)/alchemiser demo

.PHONY: test
test: setup ## Run the tests
	@$(BIN)/pytest -n auto

.PHONY: lint
lint: setup ## Check format, style and import rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports

.PHONY: types
types: setup ## Check the types (mypy --strict)
	@$(BIN)/mypy

.PHONY: format
format: setup ## Format the code and mend what can be mended
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: check
check: lint types test ## What CI runs: lint, types, import rules, tests

.PHONY: prove
prove: setup ## Explore crashes, interleavings and random faults of trading; ends in counts (some minutes)
	@$(BIN)/pytest -q -s --timeout 3600 tests/prove

.PHONY: bench
bench: setup ## Measure speed and memory beside their aims (JSON=FILE writes them too)
	@tools/bench.sh $(if $(JSON),--json $(JSON))

.PHONY: mutants
mutants: setup ## Change the trading core in small ways and list what its tests do not notice (MODULE=plan for one)
	@tools/mutants.sh $(if $(JSON),--json $(JSON)) $(MODULE)

.PHONY: lock
lock: setup ## Resolve the lock files again (SERVICE=name for one)
	@tools/lock.sh $(SERVICE)
