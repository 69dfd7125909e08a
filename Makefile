# make hunt       find what breaks the example application (two minutes at the most)
# make test       run the tests
# make check      lint, format, types and the import contracts
# make bench      print the figures of the benchmarks
# make bench-bugs find each planted bug by ten seeds, and print how soon (long)
# make changelog  show how the fragments in changelog.d/ will read
# Each makes its own virtual environment in .venv on first use. Another Python: make PYTHON=python3.12 ...

PYTHON ?= python3
VERSION ?= next
VENV := .venv
BIN := $(VENV)/bin

.PHONY: hunt test check bench bench-bugs changelog clean

hunt: $(VENV)/.run
	@$(BIN)/chaoskube hunt examples/shop --for 60s --expect violation
	@echo
	@echo "your own: $(BIN)/chaoskube hunt path/to/your/manifests/"

test: $(VENV)/.test
	@$(BIN)/python -m pytest -q -n 2

check: $(VENV)/.check
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

bench: $(VENV)/.test
	@$(BIN)/python benchmarks/kernel.py
	@$(BIN)/python benchmarks/cluster.py
	@$(BIN)/python benchmarks/apiserver.py
	@$(BIN)/python benchmarks/raft.py
	@$(BIN)/python benchmarks/etcd_store.py
	@$(BIN)/python benchmarks/linearizability.py

bench-bugs: $(VENV)/.run
	@$(BIN)/python benchmarks/planted_bugs.py

changelog: $(VENV)/.check
	@$(BIN)/towncrier build --draft --version $(VERSION)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "chaoskube needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ...")'
	@echo "making a virtual environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml | $(VENV)/bin/python
	@$(BIN)/pip install -q --disable-pip-version-check -e .
	@touch $@

$(VENV)/.test: pyproject.toml | $(VENV)/bin/python
	@$(BIN)/pip install -q --disable-pip-version-check -e ".[test]"
	@touch $@ $(VENV)/.run

$(VENV)/.check: pyproject.toml | $(VENV)/bin/python
	@$(BIN)/pip install -q --disable-pip-version-check -e ".[test,check]"
	@touch $@ $(VENV)/.test $(VENV)/.run

clean:
	rm -rf $(VENV) build dist *.egg-info
