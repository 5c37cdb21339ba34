# Kafka Ferry. `make help` lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV := .venv
PY := $(VENV)/bin/python
STACK_DIR ?= .stack
export PYTHONPATH := include
# The installed packages are stamped with the checksum of their lock: installed again only when it changes.
STAMP := $(VENV)/.installed-$(shell cksum < requirements-dev.txt | tr -s ' \t' '--')
# What needs an Airflow and what does not, in a process each: tests/integration/conftest.py.
SIDE_BY_SIDE := -n 2 --dist loadgroup
LINTED := plugins include tests dags docs/site

.PHONY: help
help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## */  make \1\t/' | expand -t 20

.PHONY: demo
demo: $(STAMP)  ## from nothing to a verdict: stack, real data, one migration, proof; stops everything
	@$(PY) -m demo

.PHONY: up
up: $(STAMP)  ## start two Kafka clusters, Kafka Connect, S3 and Airflow; writes .stack/env (SECURE=1: with users and ACLs; DATABASE=1: with MariaDB; POSTGRES=1: Airflow on PostgreSQL; EXECUTOR=celery: with Celery, too; MSK=1: with a double of MSK Connect; S3_CONNECTORS=1: with our S3 connectors; REGISTRY=1: with two schema registries; SOURCE=2.6.0x2 TARGET=x3 CONNECT=3.9.2x2: other versions, several brokers and workers; LISTENER=tls|mtls|oauth: TLS, client certificates, tokens; RACKS=a,b,c: racks of the brokers)
	@$(PY) -m stack up --dir $(STACK_DIR) $(foreach option,SECURE DATABASE POSTGRES MSK S3_CONNECTORS REGISTRY,$(if $(filter 1 yes true,$($(option))),--$(shell echo $(option) | tr A-Z_ a-z-))) \
	  $(foreach option,SOURCE TARGET CONNECT LISTENER RACKS EXECUTOR,$(if $($(option)),--$(shell echo $(option) | tr A-Z a-z) $($(option))))

.PHONY: down
down:  ## stop what `make up` started; data stays
	@if [ -x $(PY) ] && [ -d $(STACK_DIR) ]; then $(PY) -m stack down --dir $(STACK_DIR); else echo "nothing to stop"; fi

.PHONY: status
status: $(STAMP)  ## what runs and how it is
	@$(PY) -m stack status --dir $(STACK_DIR)

.PHONY: bench
bench: $(STAMP)  ## measure: throughput profiles against stock MirrorMaker 2, then 360 topics end to end (about 5 minutes)
	@PYTHONPATH=include:plugins $(PY) -m bench profiles
	@PYTHONPATH=include:plugins $(PY) -m bench scale

.PHONY: bench-engines
bench-engines: $(STAMP)  ## measure: start-up and throughput of every engine on the same data (about 8 minutes)
	@PYTHONPATH=include:plugins $(PY) -m bench engines

.PHONY: bench-backup
bench-backup: $(STAMP)  ## measure: export to S3 and restore (OSO=/path/to/driver: beside OSO kafka-backup's core)
	@PYTHONPATH=include:plugins $(PY) -m bench backup $(if $(OSO),--oso $(OSO))

.PHONY: bench-connectors
bench-connectors: $(STAMP)  ## measure: export and import by our S3 connectors beside the engine's, in one run (about 5 minutes)
	@PYTHONPATH=include:plugins $(PY) -m bench connectors

.PHONY: test
test: plugins unit integration browser  ## all tests: our Java, units on all cores, on real Kafka, in a real browser

.PHONY: plugins
plugins:  ## build and test the connect plugins: JAR and ZIP in include/connect-plugins/target, and ZIP of the S3 connectors in …/s3/target
	mvn -q -B -f include/connect-plugins/pom.xml package -Pzip
	mvn -q -B -f include/connect-plugins/s3/pom.xml package -Pzip

.PHONY: unit
unit: $(STAMP)  ## tests without a broker
	$(PY) -m pytest -n auto -m "not integration and not browser"

# To see what no unit test runs; no figure to reach. Numba's loops show as not run: Python does not execute them.
.PHONY: coverage
coverage: $(STAMP)  ## what the unit tests run, in all processes: a table, and pages in htmlcov/
	$(PY) -m pytest -n auto -m "not integration and not browser" --cov --cov-report=term --cov-report=html

.PHONY: integration
integration: $(STAMP)  ## tests on the embedded stack, each test named as it ends (JOB=backup: those of one job)
	$(PY) -m pytest -v $(SIDE_BY_SIDE) -m "integration and not browser and not nightly" --durations=40 tests/integration/$(JOB)

.PHONY: nightly
nightly: $(STAMP)  ## integration tests that take minutes each: deep runs in a real scheduler, brokers and stores that become unreachable
	$(PY) -m pytest -v $(SIDE_BY_SIDE) -m nightly --durations=20

# A process of its own: playwright leaves an event loop running, in which other tests cannot start theirs.
.PHONY: browser
browser: $(STAMP)  ## the report page and the trigger form in a real Chromium
	$(PY) -m pytest -v -n 2 -m browser tests/browser

.PHONY: docs
docs: $(STAMP)  ## build docs/ as a site, site/index.html; a link that leads nowhere fails it
	$(PY) -m sphinx -q -W --keep-going -n -b html -c docs/site -d site/.doctrees . site

.PHONY: docs-params
docs-params: $(STAMP)  ## write the tables of params and losses in docs/ as the code says
	@PYTHONPATH=include:plugins $(PY) -m params_tables
	@PYTHONPATH=include:plugins $(PY) -m losses_tables

.PHONY: schemas
schemas: $(STAMP)  ## keep what a new version of plan.json, report.json, … looks like
	@PYTHONPATH=plugins:tests/shared $(PY) tests/shared/schemas.py

.PHONY: lint
lint: $(STAMP)  ## ruff and mypy
	$(PY) -m ruff check $(LINTED)
	$(PY) -m ruff format --check $(LINTED)
	$(PY) -m mypy
	$(PY) -m mypy -p stack -p bench -p demo -m params_tables
	$(PY) -m mypy dags tests/shared docs/site

.PHONY: wheel
wheel: $(STAMP)  ## build the package for your own Airflow: dist/kafka_ferry-….whl (docs/install.md)
	@$(PY) -m uv build --wheel --no-build-isolation --python $(PY) -q -o dist
	@ls dist/*.whl

.PHONY: lock
lock: $(STAMP)  ## compile requirements*.in to full locks, with hashes
	$(PY) -m uv pip compile --universal --python-version 3.11 --no-annotate --generate-hashes -q requirements.in -o requirements.txt
	$(PY) -m uv pip compile --universal --python-version 3.11 --no-annotate --generate-hashes -q requirements-dev.in -c requirements.txt -o requirements-dev.txt
	$(PY) -m uv pip compile --universal --python-version 3.11 --no-annotate --generate-hashes -q include/stack/requirements-celery.in -o include/stack/requirements-celery.txt

.PHONY: clean
clean:  ## stop the stack and remove its data (keeps the venv and downloads)
	@if [ -x $(PY) ] && [ -d $(STACK_DIR) ]; then $(PY) -m stack down --purge --dir $(STACK_DIR); fi
	@rm -rf $(STACK_DIR) .pytest_cache .mypy_cache .ruff_cache

.PHONY: venv
venv: $(STAMP)  ## the Python environment alone

$(STAMP):
	@include/stack/venv.sh $(VENV) requirements-dev.txt
	@rm -f $(VENV)/.installed-*
	@touch $@
