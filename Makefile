# `make help` lists what can be done. PYTHON chooses the interpreter (3.10 to 3.13).
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

# An interpreter that is asked for by name replaces a .venv of another version.
ifneq ($(origin PYTHON),file)
$(shell new=$$($(PYTHON) -c 'import sys, venv, ensurepip; assert sys.version_info >= (3, 10); print(sys.version)' 2>/dev/null) \
  && old=$$($(BIN)/python -c 'import sys; print(sys.version)' 2>/dev/null) && [ "$$new" != "$$old" ] && rm -rf $(VENV))
endif

.DEFAULT_GOAL := help
.PHONY: help demo test check fix bench e2e messages package clean

help:  ## list what can be done
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.installed  ## see explain, fix, generate and ask stream in this terminal
	@$(BIN)/sidelight demo --trust

test: $(VENV)/.installed-test  ## run the tests; needs Python alone
	@$(BIN)/python -m pytest -n auto --maxprocesses 4

check: $(VENV)/.installed-check  ## what CI checks: format, lint, types, walls, and the VS Code client where Node is
	@$(BIN)/ruff format --check server tests client-vscode/package.py
	@$(BIN)/ruff check server tests client-vscode/package.py
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory check-client; \
	else echo "npm is not here: the VS Code client was not checked"; fi

.PHONY: check-client
check-client: node_modules/.installed
	@npm run --silent check
	@npm run --silent build

fix: $(VENV)/.installed-check  ## format, and mend what can be mended
	@$(BIN)/ruff format server tests client-vscode/package.py
	@$(BIN)/ruff check --fix server tests client-vscode/package.py

bench: $(VENV)/.installed-test  ## measure against a raw forwarder and a minimal pygls server in the same run
	@$(BIN)/python tests/benchmarks/run.py

e2e: $(VENV)/.installed-test node_modules/.installed  ## drive real model servers, and a real VS Code, Neovim and Emacs
	@PYTHON=$(CURDIR)/$(BIN)/python tests/models/run.sh
	@PYTHON=$(CURDIR)/$(BIN)/python tests/editors/run.sh

messages: $(VENV)/.installed-test  ## bring the catalogues up to date with the sentences in the code
	@$(BIN)/python tests/catalogues.py update

package: $(VENV)/.installed node_modules/.installed  ## dist/sidelight-VERSION.vsix: the VS Code extension for every platform
	@npm run --silent build
	@$(BIN)/python client-vscode/package.py

clean:  ## remove what was built
	rm -rf $(VENV) node_modules client-vscode/dist build dist

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "Sidelight needs Python 3.10 or newer; choose one with: make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "This Python has no venv. On Debian and Ubuntu: apt install python3-venv; on others, the package of that name."; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version) …"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "Installing Sidelight …"
	@$(PIP) --editable .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	@echo "Installing what the tests need …"
	@$(PIP) --editable '.[test]'
	@touch $@

$(VENV)/.installed-check: $(VENV)/.installed-test
	@echo "Installing what the checks need …"
	@$(PIP) --editable '.[test,check]'
	@touch $@

node_modules/.installed: package.json package-lock.json
	@npm ci --no-audit --no-fund --silent
	@touch $@
