# What people and CI run. Each target first brings the one .venv up to date with requirements-dev.lock;
# when it is up to date already, that is a look at a few dates.

# Where it is set, each of the hundreds of processes that the tests start compiles the bot anew.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
PYTEST_FLAGS ?=
LOCK_FLAGS ?=
BENCH_FLAGS ?=

BIN := .venv/bin
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --require-virtualenv
BOT_FILES := $(shell find bot -type f -not -path '*/__pycache__/*')
PYTEST := $(BIN)/python tests/run_on_loopback.py $(BIN)/python -m pytest -n 3 --dist worksteal $(PYTEST_FLAGS)
# Their own tests cover core and engine. What others run there is not measured: that would take them twice as long.
COVERING := tests/core tests/engine tests/operations
COMPILE := CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet --generate-hashes --strip-extras \
  --allow-unsafe --build-deps-for wheel --no-emit-options --no-emit-index-url --no-emit-find-links \
  --no-emit-trusted-host $(LOCK_FLAGS)

.PHONY: help check test test-all bench demo sandbox images schemas lock venv runtime-venv

help: ## say what there is to make
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/make \1\t\2/' | expand -t 20

check: venv ## style, types, and which room may import which
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

test: venv runtime-venv ## the tests, without the slow ones; core and engine covered to the last branch
	$(PYTEST) --cov -m "not slow" $(COVERING)
	$(PYTEST) -m "not slow" $(addprefix --ignore=,$(COVERING))

test-all: venv runtime-venv ## every test, also the slow ones; what they cover, `make test` has measured
	$(PYTEST) -m "slow or not slow"

bench: venv ## how fast, each figure beside its floor; BENCH_FLAGS="rollback --json FILE" asks less, or keeps it
	$(BIN)/python -m benchmarks $(BENCH_FLAGS)

demo: venv ## a bad release, a rollback, an approval: in a small cloud on this machine
	$(BIN)/aisq sandbox demo

sandbox: venv ## that small cloud, a small Slack and the bot on a page in your browser, to rehearse on
	$(BIN)/aisq sandbox up

images: venv ## take the pictures of docs/images anew; needs chromium, and looks best with fonts-inter
	$(BIN)/python -m tests.sandbox.page.images docs/images

schemas: build/schemas/slack.json ## what Slack's own types say of blocks, as JSON Schema, for the tests; by npm

# Into a folder that git ignores; package-lock.json holds the hashes, and no package runs a script of its own.
build/schemas/slack.json: slack/schema/package.json slack/schema/package-lock.json
	mkdir -p build/schemas && cp slack/schema/*.json build/schemas
	cd build/schemas && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	cd build/schemas && node_modules/.bin/ts-json-schema-generator --no-type-check \
	  --path node_modules/@slack/types/dist/index.d.ts --out slack.json.part && mv slack.json.part slack.json

lock: venv ## write both locks anew; LOCK_FLAGS=--upgrade also takes newer releases
	$(COMPILE) --output-file requirements.lock pyproject.toml
	$(COMPILE) --all-extras --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml

venv: .venv/installed ## only prepare .venv

.venv/locked: requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "aisq needs Python 3.11 or newer, \
	and $(PYTHON) is " + sys.version.split()[0] + ": name another, make PYTHON=python3.11 …")'
	$(PYTHON) -m venv .venv
	$(BIN)/python $(PIP_INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@

.venv/installed: .venv/locked pyproject.toml
	$(BIN)/python $(PIP_INSTALL) --quiet --no-deps --no-build-isolation --no-index -e .
	@touch $@

# The bot as the image has it: the runtime lock and nothing else, the package installed, not linked, and without the
# sandbox. Tests start it from there; they have no network to install anything with.
runtime-venv: build/runtime-venv/installed

build/runtime-venv/locked: requirements.lock
	rm -rf build/runtime-venv
	$(PYTHON) -m venv build/runtime-venv
	build/runtime-venv/bin/python $(PIP_INSTALL) --require-hashes -r requirements.lock
	@touch $@

build/runtime-venv/installed: build/runtime-venv/locked pyproject.toml $(BOT_FILES)
	rm -rf build/package && mkdir build/package && cp -R pyproject.toml README.md LICENSE bot build/package
	rm -rf build/package/bot/sandbox
	build/runtime-venv/bin/python $(PIP_INSTALL) --no-deps --no-build-isolation --no-index --force-reinstall build/package
	@touch $@
