# Two commands matter: `make audit REPO=path` and `make test`. Both set up everything they need.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
REPO   ?=
OUT    ?= audits

.DEFAULT_GOAL := help
.PHONY: help audit test check lint types contracts unit tools browser-tests wheel self-audit browser docs lock report-samples clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

audit: $(VENV)/.runtime ## audit the repository at REPO=path; report goes to audits/
	@test -n "$(REPO)" || { echo "usage: make audit REPO=path/to/repository" >&2; exit 2; }
	@mkdir -p "$(OUT)"
	@name=$$(basename "$$(cd "$(REPO)" 2>/dev/null && pwd || echo "$(REPO)")"); \
	 $(BIN)/auditor audit "$(REPO)" --html "$(OUT)/$$name.html" --json "$(OUT)/$$name.json" --progress && \
	 echo "Report: $$(pwd)/$(OUT)/$$name.html"

test: $(VENV)/.dev browser lint types contracts unit tools browser-tests wheel self-audit ## everything CI runs

check: $(VENV)/.dev lint types contracts ## the quick part, under two minutes
	$(BIN)/pytest -q -n 2 -m "not tools and not browser and not wheel"

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

contracts: $(VENV)/.dev
	$(BIN)/lint-imports

unit: $(VENV)/.dev
	$(BIN)/pytest -q -n 2 -m "not tools and not browser and not wheel"

tools: $(VENV)/.dev
	$(BIN)/pytest -q -m tools

browser-tests: $(VENV)/.dev
	$(BIN)/pytest -q -m browser

wheel: $(VENV)/.dev
	$(BIN)/pytest -q -m wheel

self-audit: $(VENV)/.dev ## the audit of this repository must keep its own gate green
	$(BIN)/python -m tests.self_audit

browser: ## Debian's chromium, for the report's browser tests
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
	 if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; \
	 else echo "no Chromium here: the browser tests will be skipped (install it with: sudo apt-get install chromium)" >&2; fi

docs: $(VENV)/.dev ## regenerate docs/checklist.md, docs/checks/ and docs/report.schema.json
	$(BIN)/python -m auditor.docs docs

report-samples: $(VENV)/.dev browser ## audit the fixture applications; docs/report.png is a picture of one report
	$(BIN)/python -m tests.report_samples

lock: ## regenerate the lock files from pyproject.toml
	$(PYTHON) -m venv $(VENV)-lock && $(VENV)-lock/bin/pip install -q uv
	$(VENV)-lock/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml -o requirements.lock
	$(VENV)-lock/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml --group dev -o requirements-dev.lock
	rm -rf $(VENV)-lock

clean: ## remove what the targets above made
	rm -rf $(VENV) $(OUT) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "auditor needs Python 3.11 or newer; say which with PYTHON=..." >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: $(BIN)/python requirements.lock pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@
