# The main commands. `make` alone prints help; every target installs what it needs.

PYTHON  ?= python3
PROFILE ?= laptop
PORT    ?= 8000
BIN     := .venv/bin
RUN     := $(BIN)/python
STAMP   := .venv/.installed
SMOKE   := book/_build/smoke
# Some tests start make themselves; without MAKEFLAGS it does not look for the parallel jobs of `make test`.
TESTS   := MAKEFLAGS= OMP_NUM_THREADS=1 $(RUN) -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup book smoke check test units browser nightly bench claim table data runs lint format serve clean

help:  ## show this list
	@echo "Tunable convolutions: networks with dials that are set after training"
	@echo
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  PROFILE=smoke|laptop|paper   the budget (default laptop; for runs also gpu)"
	@echo "  TUNABLE_DATA=DIR             the folder of the data sets (default data/datasets)"
	@echo "  PYTHON=python3.12            the Python that makes .venv (3.11 or newer)"

# The stamp of a complete .venv contains the folder in which it was made. Scripts in .venv contain that path,
# so .venv is made again after the folder is renamed (or if the Python that .venv links to is missing).
ifneq "$(shell $(RUN) -c '' 2>/dev/null && cat $(STAMP) 2>/dev/null)" "$(CURDIR)"
ANEW    := --clear
.PHONY: $(STAMP)
endif

# Settings of the caller that would make pip install elsewhere, or Python import other packages, are ignored.
unexport PYTHONPATH PYTHONHOME
PIP     := PIP_USER=0 PIP_TARGET= PIP_PREFIX= PIP_ROOT= \
           $(RUN) -m pip install --disable-pip-version-check --quiet

setup: $(STAMP)  ## install the exact versions of requirements.lock into .venv

$(STAMP): requirements.lock requirements.hashes pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "There is no '$(PYTHON)' here: install Python 3.11 or newer, or name yours with 'make PYTHON=/path/to/python'."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "This needs Python 3.11 or newer, but '$(PYTHON)' is $$($(PYTHON) -V 2>&1): name a newer one with 'make PYTHON=python3.12'."; exit 1; }
	@echo "Installing the packages of requirements.lock into .venv (once; a few minutes)"
	@$(PYTHON) -m venv $(ANEW) .venv
	$(PIP) --no-deps --require-hashes -r requirements.hashes
	$(PIP) -r requirements.lock
	$(PIP) --no-deps --no-build-isolation -e .
	@$(RUN) -m compileall -q tunable_core tunable_photo study book  # or each of the first processes would
	@printf '%s\n' "$(CURDIR)" > $@

book: $(STAMP)  ## run the notebooks that changed and build book/_build/html (PROFILE=..., SINGLE=1 for a PDF)
	$(RUN) book/execute.py --profile $(PROFILE) $(if $(SINGLE),--single)

smoke: $(STAMP)  ## run every notebook from scratch in miniature and build book/_build/smoke/html
	@rm -rf $(SMOKE) && mkdir -p $(SMOKE)/runs
	TUNABLE_RUNS="$(CURDIR)/$(SMOKE)/runs" $(RUN) book/execute.py --profile smoke --force

check: lint  ## check style and run the quick tests
	$(TESTS) -m "not slow" tests/core tests/photo tests/study

test: lint  ## run everything: style, unit tests, types, smoke book with warnings as errors, the book in a browser
	$(MAKE) --no-print-directory -j 2 units browser

units: $(STAMP)
	$(TESTS) -m "not browser"

browser: smoke
	TUNABLE_BOOK="$(CURDIR)/$(SMOKE)/html" TUNABLE_VENV="$(CURDIR)/.venv" $(TESTS) -m browser tests/browser

nightly: $(STAMP)  ## repeat the tests that kill processes forty times, and run the longest tests (an hour)
	TUNABLE_FAULTS=40 $(RUN) -m pytest -q tests/slow/test_faults.py \
		tests/slow/test_killed_downloads.py tests/slow/test_endurance.py tests/book/test_killed.py

bench: $(STAMP)  ## measure what tuning costs (PARTS="network samples pixels layers processes waiting class")
	$(RUN) -m study.measuring.bench $(PARTS)

claim: $(STAMP)  ## judge one claim of the paper, training only what it needs (NAME=table-1; without NAME all, from stored results)
	$(RUN) -m study.claims $(or $(NAME),--stored) --profile $(PROFILE)

table: $(STAMP)  ## measure Table 1 on your own photographs (IMAGES=folder)
	$(RUN) -m study.chapters.own $(IMAGES) --profile $(PROFILE)

data: $(STAMP)  ## download what PROFILE needs, or DATASETS="kodak cbsd68 ..."
	$(RUN) -m study.images.downloads $(if $(DATASETS),$(DATASETS),--profile $(PROFILE))

runs: $(STAMP)  ## train the missing runs of PROFILE (-j N: N at once)
	@names=$$($(RUN) -m study --profile $(PROFILE) --missing | sed 's/^/run-/'); \
	if [ -z "$$names" ]; then echo "No run of $(PROFILE) is missing."; else $(MAKE) --no-print-directory $$names; fi

run-%: $(STAMP)
	$(RUN) -m study --profile $(PROFILE) --only $*

lint: $(STAMP)  ## check style and formatting
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

format: $(STAMP)  ## correct style and formatting
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

serve: $(STAMP)  ## show the built book in a browser, at localhost (PORT=8000)
	@test -d book/_build/html || { echo "There is no book yet: run 'make book' first."; exit 1; }
	@echo "The book is at http://localhost:$(PORT) (Ctrl-C ends)"
	@$(RUN) -m http.server $(PORT) --bind 127.0.0.1 --directory book/_build/html

clean:  ## remove everything built; never data/runs, data/sweeps or data/datasets
	rm -rf book/_build .pytest_cache .ruff_cache .mypy_cache .hypothesis build dist *.egg-info
	find tunable_core tunable_photo study tests book notebooks -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true
