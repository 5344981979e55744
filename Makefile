# The commands of this project. `make run` and `make test` need Python 3.11 or newer, and make, and nothing else.
PORT ?= 8000
DATA_DIR ?= ./var
PYTHON ?= python3
PY := .venv/bin/python
# Without this, each test process compiles all the code again where the environment forbids bytecode: eight seconds per worker.
export PYTHONDONTWRITEBYTECODE :=
LOCAL := BACKCARE_LOCAL=1 PORT=$(PORT) DATA_DIR="$(DATA_DIR)"

.PHONY: run test test-fast lint bench bench-peers trials failover runbook lock
.DEFAULT_GOAL := run

run: .venv/runtime
	@$(LOCAL) $(PY) manage.py prepare $(if $(EMPTY),--empty)
	@exec env $(LOCAL) $(PY) manage.py serve

# Chromium draws its pages at nice 5. Tests at 0 would take the processor from the browsers that other tests wait for.
test: .venv/test
	@nice -n 5 $(PY) -m pytest -n auto --maxprocesses 8 --dist worksteal $(ARGS)

# No browser, no processes, nothing committed to a database, no editing, nothing that takes long.
test-fast: .venv/test
	@$(PY) -m pytest -n auto --maxprocesses 8 --dist worksteal --fast $(ARGS)

lint: .venv/test
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	.venv/bin/lint-imports
	$(LOCAL) $(PY) -m mypy
	.venv/bin/djlint templates --lint --quiet
	$(LOCAL) $(PY) manage.py makemigrations --check --dry-run
	$(PY) -m tests.support.audit

bench: .venv/test
	@$(PY) -m loadtests.bench $(ARGS)

# Beside nginx, Wagtail and WordPress, where they can be installed.
bench-peers: .venv/test
	@$(PY) -m loadtests.bench.peers

# The long form of the fault tests, and sustained load: over two hundred random kills, about forty minutes. `make trials ARGS="--kills 50"` is shorter.
trials: .venv/test
	@$(PY) -m loadtests.trials $(ARGS)

# Two machines' worth of processes and PostgreSQL with a replica: each part is killed under load. Some three minutes.
failover: .venv/test
	@$(PY) -m loadtests.trials.failover

# Follows docs/operations.md to the letter in an empty Debian. Needs root and debootstrap.
runbook:
	@loadtests/runbook.sh

# After a change to the dependencies in pyproject.toml. Needs uv.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml -o requirements.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --extra sentry pyproject.toml -o requirements-sentry.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --extra test pyproject.toml -o requirements-test.txt

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed. Say which: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .venv

.venv/runtime: requirements.txt | .venv/bin/python
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

.venv/test: requirements-test.txt | .venv/bin/python
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-test.txt
	@touch $@ .venv/runtime
