# Closing Bell: `make demo` shows the main job on bundled data, `make test` runs the tests.
# Everything that a run writes is in $CLOSING_BELL_HOME (default: data/ in this folder).

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export CLOSING_BELL_HOME ?= $(CURDIR)/data
RUN := $(BIN)/closing-bell

.PHONY: help install demo test test-long lint dev nightly backfill close report status alerts sql releases rollback diff record-kinds graph-snapshot lock clean \
	prove prove-corruptions prove-damage prove-fetched prove-order prove-selections prove-crashes prove-deployment prove-upgrade prove-readers prove-market prove-nights

help:
	@echo "make demo                         the main job on bundled synthetic data, and its result"
	@echo "make test                         the tests; make test-long: those that take minutes each"
	@echo "make dev                          the Dagster UI on http://localhost:3000"
	@echo "make nightly [DATE=2025-09-17]    a release up to one trade date, or the last that closed"
	@echo "make backfill FROM=… TO=…         a range of trade dates becomes a release"
	@echo "make close [DATE=…]               the close of a day as a table"
	@echo "make report DATE=2025-09-17       the market report of a day, written again"
	@echo "make alerts                       a test message to every channel of alerts.yaml"
	@echo "make sql                          a DuckDB shell on the published file"
	@echo "make status                       what is published, and how old it is"
	@echo "make releases | rollback RELEASE=… | diff A=… B=…"
	@echo "make prove                        the full proofs of docs/trust.md, which take hours"
	@echo "make lint                         what CI checks besides the tests"

install: $(VENV)/installed

$(VENV)/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Closing Bell needs Python 3.11 or later; try: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -qq --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --editable .
	@touch $@

demo: install
	@if [ -n "$$(ls -A "$$CLOSING_BELL_HOME/landing" 2>/dev/null)" ] \
		&& [ ! -f "$$CLOSING_BELL_HOME/landing/.synthetic" ]; then \
		echo "$$CLOSING_BELL_HOME/landing holds files of your own, which the sample would overwrite."; \
		echo "Run: make demo CLOSING_BELL_HOME=/tmp/closing-bell-demo"; exit 1; fi
	@mkdir -p "$$CLOSING_BELL_HOME/landing" && touch "$$CLOSING_BELL_HOME/landing/.synthetic"
	@echo "Writing the synthetic sample to $$CLOSING_BELL_HOME/landing ..."
	@$(BIN)/python seeds/sample/generate.py "$$CLOSING_BELL_HOME/landing" --through 2025-09-17 > /dev/null
	@echo "Fetching two evenings from the exchanges, which a server on this machine plays ..."
	@$(BIN)/python -m seeds.sample.exchanges "$$CLOSING_BELL_HOME" 2025-09-16 2025-09-17
	@echo "Running the job: files -> DuckDB -> dbt -> checks -> release ..."
	@$(RUN) backfill 2021-01-01 2025-09-17
	@echo
	@echo "SYNTHETIC SAMPLE: only the figures of the published report of 17 September 2025 are real."
	@$(RUN) close 2025-09-17
	@echo
	@echo "The market report, each figure with its origin:"
	@$(RUN) report 2025-09-17

test: install
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not long"

test-long: install
	$(BIN)/python -m pytest -n auto --dist worksteal -m long

# The full proofs of the laws in docs/trust.md, which take hours. Each exits with status 1 if a law
# does not hold, and writes its figures to docs/proof_results/.
PROOFS := $(CLOSING_BELL_HOME)/proofs
PROVE = @mkdir -p $(PROOFS) && $(BIN)/python -m tests.proof

prove: prove-corruptions prove-damage prove-fetched prove-order prove-selections prove-crashes prove-deployment prove-upgrade prove-readers prove-market prove-nights

prove-corruptions: install
	$(PROVE).clean_nights --history --out $(PROOFS)/real.json
	$(PROVE).clean_nights --nights 250 --out $(PROOFS)/clean_nights.json
	$(PROVE).clean_nights --nights 250 --real --to 2025-09-30 --out $(PROOFS)/clean_nights_real.json
	$(PROVE).corruption --dagster --out $(PROOFS)/corruption_dagster.json
	$(PROVE).corruption --real --placed --until-said --seeds 50 --processes 2 --out $(PROOFS)/corruption_real.json
	$(PROVE).corruption --seeds 50 --processes 2 --out $(PROOFS)/corruption.json
	$(PROVE).summary $(PROOFS) docs/proof_results

prove-damage: install
	$(PROVE).damage --damages 10000 --out $(PROOFS)/damage.json
	$(PROVE).summary $(PROOFS) docs/proof_results

prove-fetched: install
	$(PROVE).fetched_nights --nights 30 --seed 1 --out $(PROOFS)/fetched_nights.json
	$(PROVE).summary $(PROOFS) docs/proof_results

prove-order: install
	$(PROVE).any_order --histories 200 --seed 1 --processes 2 --dagster-every 10 --out $(PROOFS)/any_order.json
	$(PROVE).summary $(PROOFS) docs/proof_results

prove-selections: install
	$(PROVE).any_selection --sequences 200 --seed 1 --processes 2 --out $(PROOFS)/any_selection.json
	$(PROVE).summary $(PROOFS) docs/proof_results

prove-crashes: install
	$(PROVE).crash --kills 200 --seed 1 --out $(PROOFS)/crash.json
	$(PROVE).summary $(PROOFS) docs/proof_results

# As root: the processes get a root folder and a network of their own.
prove-deployment: install
	$(PROVE).deployment --kills 20 --seed 1 --out $(PROOFS)/deployment.json
	$(PROVE).summary $(PROOFS) docs/proof_results

prove-upgrade: install
	$(PROVE).upgrade --out $(PROOFS)/upgrade.json
	$(PROVE).summary $(PROOFS) docs/proof_results

prove-readers: install
	$(PROVE).readers --readers 8 --publications 100 --out $(PROOFS)/readers.json
	$(PROVE).summary $(PROOFS) docs/proof_results

prove-market: install
	$(PROVE).market --out $(PROOFS)/market.json
	$(PROVE).summary $(PROOFS) docs/proof_results
	@cp $(PROOFS)/market.svg docs/proof_results/

prove-nights: install
	$(PROVE).nights --out $(PROOFS)/nights.json
	$(PROVE).summary $(PROOFS) docs/proof_results

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@mkdir -p "$$CLOSING_BELL_HOME"
	$(BIN)/sqlfluff lint dbt_project

dev: install
	@$(RUN) prepare
	DAGSTER_HOME="$${DAGSTER_HOME:-$$CLOSING_BELL_HOME/dagster}" VIRTUAL_ENV="$(CURDIR)/$(VENV)" $(BIN)/dg dev

nightly: install
	@$(RUN) nightly $(DATE)

backfill: install
	@test -n "$(FROM)" -a -n "$(TO)" || { echo "Which dates? make backfill FROM=2021-01-01 TO=2025-09-16"; exit 2; }
	@$(RUN) backfill "$(FROM)" "$(TO)"

close: install
	@$(RUN) close $(DATE)

report: install
	@test -n "$(DATE)" || { echo "Which day? make report DATE=2025-09-17"; exit 2; }
	@$(RUN) report "$(DATE)"

status: install
	@$(RUN) status

# Tries every channel of $CLOSING_BELL_HOME/alerts.yaml.
alerts: install
	@$(RUN) alerts

sql: install
	@$(BIN)/duckdb -readonly "$$CLOSING_BELL_HOME/published/closing_bell.duckdb"

releases: install
	@$(RUN) releases

rollback: install
	@test -n "$(RELEASE)" || { echo "Which release? see: make releases"; exit 2; }
	@$(RUN) rollback "$(RELEASE)"

diff: install
	@test -n "$(A)" -a -n "$(B)" || { echo "Which two? make diff A=… B=… (see: make releases)"; exit 2; }
	@$(RUN) diff "$(A)" "$(B)"

# Writes what dbt must know of the record kinds.
record-kinds: install
	@$(BIN)/python -m dagster_project.warehouse.dbt_record_kinds

# Writes what Dagster shows, so that a change of the graph is visible in a review.
graph-snapshot: install
	@$(BIN)/python -m tests.integration.graph_snapshot

# Pins every dependency with its hashes, without naming a package registry; and of these, what a
# server needs.
LOCK := uv pip compile pyproject.toml --extra postgres --universal --python-version 3.11 \
	--no-strip-extras --generate-hashes --no-emit-index-url --no-header --quiet
lock:
	$(LOCK) --group dev --output-file requirements.lock
	$(LOCK) --constraints requirements.lock --output-file deploy/requirements.lock

clean:
	rm -rf $(VENV) dbt_project/target dbt_project/logs
