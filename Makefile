# Two commands do everything on a fresh machine: `make demo` and `make test`. Both make .venv themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
RUN := $(BIN)/python

.PHONY: demo test test-all lint types contracts bench fuzz docs constraints clean

demo: $(STAMP)
	@$(BIN)/undertag demo

test: lint types contracts
	$(BIN)/pytest -m "not slow"

test-all: lint types contracts
	$(BIN)/pytest
	$(MAKE) fuzz

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

contracts: $(STAMP)
	$(BIN)/lint-imports

bench: $(STAMP)
	$(RUN) benches/run.py $(BENCH)

fuzz: $(STAMP)
	$(RUN) tests/fuzz/run.py --seconds 60

docs: $(STAMP)
	$(RUN) tools/build_catalogue.py
	$(RUN) tools/build_catalogue_docs.py
	$(RUN) tools/build_antivirus_docs.py
	$(RUN) tools/build_docs.py

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

# The pins: every package with the hashes of its files, no addresses.
constraints:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet pip-tools
	$(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-trusted-host --no-header --extra dev --extra build --output-file constraints.txt pyproject.toml

clean:
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
