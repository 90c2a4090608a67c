# Everything runs from the virtual environment in .venv; nothing is installed outside this folder by these targets,
# but for Debian's packages where they run as root (python3-venv, rabbitmq-server and chromium-headless-shell for the tests).
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check --quiet
RUNTIME := $(VENV)/.runtime-installed
DEV := $(VENV)/.dev-installed
MIGRATIONS := shared/database/migrations
LOCK := uv pip compile --generate-hashes --no-emit-index-url --no-annotate --no-header --python-version 3.11 --universal -q
SECRETS := deploy/secrets
SIMULATION := tests/simulation
FAULTS := tests/integration/stock_worker/faults

export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1
# The tests start hundreds of processes: none should compile again what another has compiled.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup setup-runtime demo up test test-campaigns test-simulation test-faults simulate test-servers test-compose check format bench lock secrets compose compose-down clean

help: ## What there is
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk 'BEGIN {FS = ":.*?## "} {printf "  %-14s %s\n", $$1, $$2}'

setup: $(DEV) ## Everything for working on the code, in .venv (quick when nothing changed)
	@echo "ready: make demo, make up, make test, make check"

setup-runtime: $(RUNTIME) # Only what running needs

$(BIN)/python:
	@deploy/make-venv $(PYTHON) $(VENV)

$(RUNTIME): $(BIN)/python requirements.txt requirements-pages.txt deploy/install-command
	@echo "installing what running needs …"
	@$(PIP) install --require-hashes -r requirements.txt
	@$(PIP) install --no-deps --require-hashes -r requirements-pages.txt
	@deploy/install-command $(VENV)
	@touch $@

$(DEV): $(RUNTIME) requirements-dev.txt requirements-openapi.txt pyproject.toml
	@echo "installing what development needs …"
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@$(PIP) install --no-deps --require-hashes -r requirements-openapi.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

demo: $(RUNTIME) ## Play a shopping day against the simulator and show what happened
	@$(BIN)/python -m demo

up: $(RUNTIME) ## Run everything on this machine; Ctrl-C stops it
	@$(BIN)/python -m demo.customers & exec $(BIN)/python -m services.backoffice up

test: $(DEV) test-servers ## All tests but the campaigns and those that need a container engine (ARGS="-k ledger" narrows)
	@$(BIN)/python -m pytest --ignore=tests/e2e/compose --ignore=$(SIMULATION) --ignore=$(FAULTS) -n 5 --dist loadfile --no-loadscope-reorder $(ARGS)

test-campaigns: test-simulation test-faults ## 20,000 random schedules of the stock protocol with its controls, and every single fault on the real stack

test-simulation: $(DEV)
	@$(BIN)/python -m pytest $(SIMULATION) $(ARGS)

test-faults: $(DEV)
	@$(BIN)/python -m pytest $(FAULTS) -n 2 --dist load $(ARGS)

simulate: $(DEV) ## Play random fault schedules of the stock protocol (N=100000; ODD=5: more slips and restored backups; RECORD=1 keeps the result)
	@$(BIN)/python -m tests.simulation $(or $(N),20000) $(if $(ODD),--odd $(ODD)) $(if $(RECORD),--record)

test-servers: $(DEV) # What the tests talk to: RabbitMQ and Chromium (Debian's), the Stripe CLI (npm's)
	@tests/install-servers $(BIN)

test-compose: $(DEV) secrets ## The compose stack, brought up, sold through and torn down (needs a container engine)
	@$(BIN)/python -m pytest tests/e2e/compose $(ARGS)

check: $(DEV) ## Format, lint, types, import contracts, migrations, architecture
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check --output-format concise .
	@$(BIN)/pyright
	@$(BIN)/lint-imports
	@$(BIN)/squawk $(MIGRATIONS)/*.sql
	@$(BIN)/python -m pytest -q tests/architecture

format: $(DEV) ## Format the code and mend what can be mended
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix --output-format concise .

bench: $(DEV) test-servers ## Measure it beside what people use instead
	@$(BIN)/python -m bench $(ARGS)

lock: ## Resolve the requirements anew, with hashes and without index addresses (needs uv)
	$(LOCK) pyproject.toml -o requirements.txt
	$(LOCK) pyproject.toml --group dev -c requirements.txt -o requirements-dev.txt
	$(LOCK) --no-deps --group openapi -o requirements-openapi.txt
	$(LOCK) --no-deps --group pages -o requirements-pages.txt

secrets: $(BIN)/python # Made-up secrets for the local compose stack, kept out of git
	@$(BIN)/python deploy/make_secrets.py $(SECRETS)

compose: secrets ## The same on containers, with the simulator; healthy when it returns
	docker compose --profile simulator up --build --wait

compose-down: ## Take the containers and their data away
	docker compose --profile simulator down --volumes

clean: ## Forget everything that can be made again, the embedded database in var/ apart
	rm -rf $(VENV) var/tools .pytest_cache .ruff_cache .hypothesis .import_linter_cache dist
