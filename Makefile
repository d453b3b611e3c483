# Every target works as the first command after `git clone`: it makes the environment that it needs.

PYTHON ?= $(shell python3.11 -c 'print("python3.11")' 2>/dev/null || echo python3)
VENV ?= .venv
PYTEST_ARGS ?=
MUTANTS_ARGS ?=
BENCH_ARGS ?=
PEERS_ARGS ?=
# So many at once: most of what the tests do is to wait for processes, servers and time-outs.
TEST_PROCESSES ?= 4
# Of `make prove-long`.
SEEDS ?= 1000:
MINUTES ?= 30

# The tests start hundreds of interpreters: compile what those import once, whatever the shell says, and beside the tools.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX := $(abspath $(VENV))/pycache

BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DOCS_STAMP := $(VENV)/.installed-docs
CHECKED := $(wildcard exqueue tests examples benchmarks)

.DEFAULT_GOAL := help
.PHONY: help demo test test-long prove prove-long mutants bench bench-peers bench-guard lint docs format clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(STAMP) ## Watch Exqueue work: crashes, a death, a takeover (EXQUEUE_URL says where, else in a file)
	@$(BIN)/python examples/demo.py
	@$(BIN)/python examples/takeover.py

test: $(STAMP) ## Run the tests that take seconds
	@$(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist worksteal $(PYTEST_ARGS)

test-long: $(STAMP) ## Run the tests that take minutes
	@$(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist worksteal -m long $(PYTEST_ARGS)

prove: $(STAMP) ## Hold the promises against a thousand seeds, all stores against each other, mutants against both
	@echo "== a thousand seeds of everything that can go wrong" && $(BIN)/python -m tests.proof --seeds 0:1000
	@echo "== all stores alike, and the proof itself"
	@$(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist worksteal -m "prove and not long" $(PYTEST_ARGS)
	@echo "== each mutant is caught" && $(BIN)/python -m tests.mutants --known

prove-long: $(STAMP) ## The same for as long as asked: SEEDS=1000: MINUTES=30
	@$(BIN)/python -m tests.proof --seeds $(SEEDS) --minutes $(MINUTES) --table

mutants: $(STAMP) ## Put faults into the product, one by one, and see each of them caught (MUTANTS_ARGS=--help)
	@$(BIN)/python -m tests.mutants $(MUTANTS_ARGS)

bench: $(STAMP) ## Measure Exqueue, in 10 minutes on a quiet machine (BENCH_ARGS=--help)
	@$(BIN)/python -m benchmarks.bench $(BENCH_ARGS)

bench-guard: $(STAMP) ## Fail when enqueue or drain has become half as fast as it was
	@$(BIN)/python -m benchmarks.guard

bench-peers: $(STAMP) ## Measure Exqueue beside its peers, in under 40 minutes (PEERS_ARGS=--help)
	@$(BIN)/python -m benchmarks.peers $(PEERS_ARGS)

lint: $(STAMP) ## Check style, types and the direction of imports
	@echo "== ruff check" && $(BIN)/ruff check .
	@echo "== ruff format" && $(BIN)/ruff format --check .
	@echo "== mypy --strict" && $(BIN)/mypy --strict $(CHECKED)
	@echo "== lint-imports" && $(BIN)/lint-imports

docs: $(DOCS_STAMP) ## Build the documentation into site/ and check its links (`make test` runs what stands in it)
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --clean

format: $(STAMP) ## Format the code and mend what ruff can mend
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

clean: ## Remove the environment and every cache
	@rm -rf $(VENV) .bench dist site .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# The stamp is written last, so that an installation that was interrupted is done again.
# Some systems ship Python without ensurepip: there the interpreter's own pip fills the environment.
$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Exqueue needs Python 3.11 or newer, and '$(PYTHON)' is $$($(PYTHON) --version 2>&1)." >&2; \
	  echo "Name one that is: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "== making $(VENV) with $$($(PYTHON) --version) (the first time only)"
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { \
	  $(PYTHON) -m venv --clear --without-pip $(VENV) && \
	  $(PYTHON) -m pip --python $(BIN)/python install --disable-pip-version-check pip; }
	@echo "== installing Exqueue and what its tests need"
	@$(BIN)/python -m pip install --disable-pip-version-check --editable '.[dev]'
	@touch $@

$(DOCS_STAMP): $(STAMP)
	@echo "== installing what the documentation needs"
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --editable '.[docs]'
	@touch $@
