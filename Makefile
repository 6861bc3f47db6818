# The front door. `make` alone prints help; every target sets up what it needs.

PYTHON  ?= python3
PROFILE ?= laptop
PORT    ?= 8000
BIN     := .venv/bin
RUN     := $(BIN)/python
STAMP   := .venv/.installed
SMOKE   := book/_build/smoke

.DEFAULT_GOAL := help
.PHONY: help setup book smoke check test nightly bench data runs lint format serve clean

help:  ## this list
	@echo "Tunable convolutions: one network, dials turned after training"
	@echo
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  PROFILE=smoke|laptop|paper   the budget (default laptop; of runs also gpu)"
	@echo "  TUNABLE_DATA=DIR             where data sets lie (default data/datasets)"
	@echo "  PYTHON=python3.12            the Python that makes .venv (3.11 or newer)"

# The stamp of a finished .venv names the folder that it was made in. Scripts in .venv hold that path, so after
# the folder is renamed (or when the Python that .venv links to is gone) .venv is made anew.
ifneq "$(shell $(RUN) -c '' 2>/dev/null && cat $(STAMP) 2>/dev/null)" "$(CURDIR)"
ANEW    := --clear
.PHONY: $(STAMP)
endif

# The caller's settings that would make pip install elsewhere, or Python import other packages, have no effect.
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
	@printf '%s\n' "$(CURDIR)" > $@

book: $(STAMP)  ## run the notebooks that changed and build book/_build/html (PROFILE=...)
	$(RUN) book/execute.py --profile $(PROFILE)

smoke: $(STAMP)  ## every notebook from scratch, tiny, no released run used; builds book/_build/smoke/html
	@rm -rf $(SMOKE) && mkdir -p $(SMOKE)/runs
	TUNABLE_RUNS="$(CURDIR)/$(SMOKE)/runs" $(RUN) book/execute.py --profile smoke --force

check: lint  ## style and the quick tests; for while you work
	$(RUN) -m pytest -q -m "not slow" tests/core tests/study

test: lint  ## everything: style, types, unit tests, smoke book with warnings as errors, the book in a browser
	$(RUN) -m mypy
	$(RUN) -m pytest -q -m "not browser"
	$(MAKE) smoke
	TUNABLE_BOOK="$(CURDIR)/$(SMOKE)/html" $(RUN) -m pytest -q -m browser

nightly: $(STAMP)  ## kills, repeated forty times each; every solution of every exercise (an hour)
	TUNABLE_FAULTS=40 $(RUN) -m pytest -q tests/slow/test_faults.py \
		tests/slow/test_killed_downloads.py tests/slow/test_endurance.py tests/book/test_killed.py \
		tests/book/test_teaching.py

bench: $(STAMP)  ## what tuning costs, as ratios measured in one run (PARTS="network samples layers processes waiting")
	$(RUN) -m study.measuring.bench $(PARTS)

data: $(STAMP)  ## download what PROFILE needs, or DATASETS="kodak cbsd68 ..."
	$(RUN) -m study.images.downloads $(if $(DATASETS),$(DATASETS),--profile $(PROFILE))

runs: $(STAMP)  ## train the runs of PROFILE that are missing, with -j N so many at once
	@names=$$($(RUN) -m study --profile $(PROFILE) --missing | sed 's/^/run-/'); \
	if [ -z "$$names" ]; then echo "No run of $(PROFILE) is missing."; else $(MAKE) --no-print-directory $$names; fi

run-%: $(STAMP)
	$(RUN) -m study --profile $(PROFILE) --only $*

lint: $(STAMP)  ## check style and formatting
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

format: $(STAMP)  ## put style and formatting right
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

serve: $(STAMP)  ## show the built book in a browser, at localhost (PORT=8000)
	@test -d book/_build/html || { echo "There is no book yet: run 'make book' first."; exit 1; }
	@echo "The book is at http://localhost:$(PORT) (Ctrl-C ends)"
	@$(RUN) -m http.server $(PORT) --bind 127.0.0.1 --directory book/_build/html

clean:  ## remove everything built; never data/runs, data/sweeps or data/datasets
	rm -rf book/_build .pytest_cache .ruff_cache .mypy_cache .hypothesis build dist *.egg-info
	find tunable_core study tests book notebooks -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true
