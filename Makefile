# Every command sets up what it needs first: a virtual environment in .venv, rebuilt only when a lock file changes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STACK ?= dev
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes

.DEFAULT_GOAL := help
.PHONY: help demo serve test engine lint format openapi bench preview up down lock lock-images audit clean

help: ## Show what each command does
	@echo "Cloud NLP. Start with 'make demo'; 'make test' proves it works."
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-14s %s\n", $$1, $$2}'
	@echo
	@echo "preview, up and down take STACK=name (now: $(STACK)) and need the Pulumi command-line tool."

demo: $(VENV)/local.stamp ## Deploy everything to an embedded AWS and analyse companies, on this machine
	@$(BIN)/python -m local demo $(ARGS)

serve: $(VENV)/local.stamp ## Keep the embedded AWS and the deployed product running
	@$(BIN)/python -m local serve $(ARGS)

test: $(VENV)/development.stamp ## Run all tests but the engine's (ARGS="-k name" narrows them)
	@$(BIN)/python -m pytest -n 2 --ignore=tests/engine $(ARGS)

engine: $(VENV)/development.stamp ## Run the tests that need the Pulumi engine; builds it once where Go is installed
	@$(BIN)/python -m tests.engine.pulumi_cli || true
	@$(BIN)/python -m pytest -n 2 tests/engine $(ARGS)

lint: $(VENV)/development.stamp ## Check style, types and imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright
	@$(BIN)/lint-imports --no-logo --cache-dir build/import-linter

audit: $(VENV)/development.stamp ## Look for known vulnerabilities in the locked packages
	@$(BIN)/python .ci/audit.py

format: $(VENV)/development.stamp ## Put the code into the project's style
	@$(BIN)/ruff check --fix-only --quiet . ; $(BIN)/ruff format .

openapi: $(VENV)/local.stamp ## Write docs/openapi.json and the table of endpoints in docs/api.md
	@$(BIN)/python -m handlers.api.support.description

bench: $(VENV)/development.stamp ## Measure speed into bench/results.md (BASE=commit compares the batch program)
	@$(BIN)/python -m bench $(if $(BASE),--base $(BASE)) $(ARGS)

preview: $(VENV)/local.stamp ## Show what `make up` would change on AWS
	@./nlp --stack $(STACK) preview

up: $(VENV)/local.stamp ## Deploy to AWS
	@./nlp --stack $(STACK) deploy

down: $(VENV)/local.stamp ## Remove everything from AWS
	@./nlp --stack $(STACK) teardown

lock: $(VENV)/development.stamp ## Renew the lock files from requirements/*.in
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
		--upgrade requirements/development.in --output-file requirements/development.txt
	@for name in runtime local layer batch; do \
		$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
			--constraint requirements/development.txt requirements/$$name.in --output-file requirements/$$name.txt; \
	done

lock-images: $(VENV)/local.stamp ## Name the images of jobs by their digests, as far as the registries answer
	@$(BIN)/python -m components.blocks.compute.image_lock

clean: ## Remove everything that can be made again
	rm -rf $(VENV) build .local .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed. Name one: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ echo "Python's venv module is needed (Debian, Ubuntu: apt-get install python3-venv)."; rm -rf $(VENV); exit 1; }
	@ln -sf ../../nlp $(BIN)/nlp

$(VENV)/local.stamp: requirements/local.txt | $(VENV)/bin/python
	@echo "Setting up $(VENV) (once; again when a lock file changes) ..."
	@$(PIP_INSTALL) -r requirements/local.txt
	@touch $@

$(VENV)/development.stamp: requirements/development.txt requirements/local.txt | $(VENV)/bin/python
	@echo "Setting up $(VENV) with the tools for tests (once; again when a lock file changes) ..."
	@$(PIP_INSTALL) -r requirements/development.txt
	@touch $(VENV)/local.stamp $@
