# Everything a person or a machine asks of this checkout. `make` alone lists it.
.DEFAULT_GOAL := help
.PHONY: help setup demo run test check bench siege faults golden lock clean develop servers

# The first Python that is new enough; name another with `make PYTHON=...`.
NEW_ENOUGH = import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(or $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c '$(NEW_ENOUGH)' 2>/dev/null && echo $$python && break; done),python3)
BIN := .venv/bin
# The benchmarks build a program of C.
COMPILER := $(if $(shell command -v cc gcc clang),,tcc)

help: ## list what can be asked
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

setup: ## make .venv/ with camera-registry in it (the others call this)
	@$(PYTHON) tools/bootstrap.py

develop:
	@$(PYTHON) tools/bootstrap.py --dev

servers: .tools/wheels
	@$(PYTHON) tools/debian.py prometheus gstreamer vlc lighttpd faketime snmpd $(COMPILER)

.tools/wheels: tests/third_party/wheels.lock | develop
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --no-deps --require-hashes \
		--upgrade --target $@ -r $<
	@touch $@

demo: setup ## start the service with a simulated fleet; Ctrl-C stops it
	@$(BIN)/camera-registry demo $(ARGS)

run: setup ## start the service with config/camera_registry.toml
	@$(BIN)/camera-registry serve $(ARGS)

# Each worker would compile all tests anew, in each run, where the environment forbids Python to keep what it compiles.
test: export PYTHONDONTWRITEBYTECODE =
# More workers than a small machine has cores, for tests wait; the order of files is tests/conftest.py's.
test: develop servers ## fetch the servers that tests need, and run the tests (ARGS="-k name" for some)
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

check: develop ## lint, format, types, imports, texts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python tools/texts.py
	$(BIN)/python tools/devices.py --check

bench: develop servers ## measure: CPU per probe, beside other clients, devices per minute, start and notice, rates, coverage; then `make faults` in full
	@$(PYTHON) tools/debian.py ffmpeg blackbox
	$(BIN)/python -m bench $(ARGS)
	$(BIN)/python -m bench.recording
	$(BIN)/python -m bench.starting --devices 2000
	$(BIN)/python -m bench.noticing
	$(BIN)/python -m bench.rates
	$(BIN)/python -m bench.coverage
	$(BIN)/python -m bench.faults

siege: develop ## measure what 700 hostile devices cost 1,000 healthy ones
	$(BIN)/python -m bench.hostile $(ARGS)

faults: develop servers ## inject every fault of the list into a whole service (ARGS="kills switch" for some; all: 40 min)
	$(BIN)/python -m bench.faults $(ARGS)

golden: develop servers ## write the golden files of tests anew; look at the difference before you commit it
	$(BIN)/python -m pytest --rewrite-golden $(ARGS)
	$(BIN)/python tools/devices.py

lock: develop ## write the locks anew from pyproject.toml and package.json (ARGS=--upgrade takes the newest releases)
	$(BIN)/python tools/lock.py $(ARGS)

clean: ## remove all that make made
	rm -rf .venv .tools node_modules build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf camera_registry/console/static/lib
