# Each target builds what it needs by itself. PYTHON names the interpreter: 3.11 or newer.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
LOWEST := .venv-lowest
JOBS ?= 2
N ?=

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast test-all test-lowest lint format docs bench services drift kill-loop token-races token-kills simulate-pacing clean

help: ## Say what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

# A .venv is built again only when what is to be in it changes.
$(READY): pyproject.toml constraints.txt scripts/make-venv
	@sh scripts/make-venv "$(PYTHON)" $(VENV) constraints.txt dev
	@touch $(READY)

demo: $(READY) ## Export a simulated account over real HTTP, with a certificate
	@$(BIN)/nimble-async demo

test: $(READY) ## Run every test, with coverage
	@sh scripts/run-tests $(VENV) $(JOBS)

test-fast: $(READY) ## Run the tests that start no server and no process
	$(BIN)/python -m pytest tests/sansio tests/aio

test-all: ## Run every test on each Python that is present
	@sh scripts/test-all $(JOBS)

test-lowest: ## Run the fast tests with the lowest allowed versions
	@sh scripts/test-lowest "$(PYTHON)" $(LOWEST)

# pyright --verifytypes looks at the first python on the PATH and heeds no --pythonpath.
lint: $(READY) ## Check style, types, layers, spelling and the docs' links
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python scripts/check-docs
	PATH="$(CURDIR)/$(BIN):$$PATH" pyright
	PATH="$(CURDIR)/$(BIN):$$PATH" pyright --ignoreexternal --verifytypes nimble_async
	$(BIN)/lint-imports --no-cache
	$(BIN)/codespell
	@$(MAKE) --no-print-directory docs

format: $(READY) ## Bring the code into the house's form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(READY) ## Build the docs into site/, and stop at a broken link
	$(BIN)/zensical build --clean --strict

bench: $(READY) ## Measure the figures of the design
	@for script in benchmarks/*.py; do \
		case $$script in */drift.py|*/kill_loop.py|*/token_*.py|*/report_pace.py|*/pacing_picture.py) continue;; esac; \
		echo "== $$script"; $(BIN)/python $$script || exit 1; \
	done

drift: $(READY) ## Export N drifting accounts on a virtual clock (make drift N=10000)
	$(BIN)/python benchmarks/drift.py --runs $(or $(N),1000)

kill-loop: $(READY) ## Kill N exports and resume them (make kill-loop N=1000)
	$(BIN)/python benchmarks/kill_loop.py --runs $(or $(N),1000)

simulate-pacing: $(READY) ## Run N seeds of ten server rules on a virtual clock, and draw the picture of the docs
	$(BIN)/python benchmarks/simulate_pacing.py --seeds $(or $(N),20) --first 4000 --against report --picture docs/img/pacing.svg

token-races: $(READY) ## Let 16 processes race for one login through N expiries (make token-races N=100)
	$(BIN)/python benchmarks/token_races.py --expiries $(or $(N),100)

token-kills: $(READY) ## Kill N renewals for each store, at each step (make token-kills N=2000)
	$(BIN)/python benchmarks/token_kills.py --runs $(or $(N),400)

services: ## Install what some tests start: Redis, PostgreSQL, Chromium
	@sh scripts/services

clean: ## Remove everything that was built
	rm -rf .venv .venv-* build dist site .cache .coverage .coverage.* htmlcov \
		.hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
