.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.runtime
DEV := $(VENV)/.development
# Without kept bytecode every process would compile the hundreds of modules anew, which takes longer than most commands.
unexport PYTHONDONTWRITEBYTECODE
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: help run setup test check lint types rules-of-sources rules-of-the-program format messages lock bench screenshots clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup ## start everything with the demo town; prints the address and the accounts
	@$(BIN)/crm up --demo

setup: $(STAMP) ## make .venv with the locked dependencies

test: $(DEV) ## every test, the browser ones included
	@$(BIN)/python -m tests.browser.chromium
	@$(BIN)/python -m pytest -n auto --dist loadscope

check: $(DEV) ## linters, types, import arrows, templates, translations, house rules
	@$(MAKE) --no-print-directory --output-sync --jobs lint types rules-of-sources rules-of-the-program

lint:
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-logo

# On a busy machine its workers may not start within their three seconds: then it goes on without them.
types:
	@$(BIN)/mypy || { test $$? -gt 1 && $(BIN)/mypy --num-workers 0; }

# They ask neither a database nor a broker, so the other tests' fixtures stay away; and what they never use takes longer to
# load than they take. Two that end together are quicker than one.
RULES := $(BIN)/python -m pytest -q -p no:schemathesis -p no:hypothesispytest --confcutdir=tests/house
READING := $(addprefix tests/house/test_, sources.py law.py texts.py)

rules-of-sources:
	@$(RULES) $(READING)

rules-of-the-program:
	@$(RULES) tests/house $(READING:%=--ignore=%)

format: $(DEV) ## put the code in shape
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

messages: $(DEV) ## collect new texts into the translation catalogues
	@$(BIN)/python -m tools.messages

bench: $(DEV) ## measure against a floor in the same run
	@$(BIN)/python -m bench

screenshots: $(DEV) ## draw the README's pictures from the running program
	@$(BIN)/python -m tools.screenshots

lock: ## renew both lock files (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock

clean: ## remove .venv and everything made from sources
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(STAMP): requirements.lock pyproject.toml | $(BIN)/python
	$(PIP) install -q --require-hashes -r requirements.lock
	$(PIP) install -q --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): requirements-dev.lock $(STAMP)
	$(PIP) install -q --require-hashes -r requirements-dev.lock
	@touch $@
