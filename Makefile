# Each target does all of its own set-up: in the active virtual environment (venv or conda), else in
# .venv, which it makes.
#   PYTHON    interpreter that .venv is made with
#   PIP_ARGS  passed to pip
#   TESTS     passed to pytest
PYTHON ?= python3
PIP_ARGS ?=
TESTS ?= -n 2 --dist loadfile --no-loadscope-reorder

RECIPE := vouch_r18_shapes
RUN := work_dirs/$(RECIPE)
QUERY := red striped heart, green star, outlined cross
# what else may be in the image; without it every object goes to the nearest of the three
OTHERS := circle, ring, square, triangle

# conda's base environment is active in every shell of its users; it is not theirs to fill.
ifneq ($(VIRTUAL_ENV),)
  ENV ?= $(VIRTUAL_ENV)
else ifneq ($(filter-out base,$(CONDA_DEFAULT_ENV)),)
  ENV ?= $(CONDA_PREFIX)
else
  ENV ?= .venv
endif
PY ?= $(ENV)/bin/python
# One mark for each checkout that is installed in this environment.
INSTALLED := $(ENV)/.ovdistill-$(firstword $(shell pwd | cksum))
DEV := $(INSTALLED)-dev
DOCS := $(INSTALLED)-docs

.PHONY: help quickstart test test-fast coverage lint wheel docs doctor clean
.DEFAULT_GOAL := help

help:  ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /make \1|/p' $(MAKEFILE_LIST) | column -t -s '|'

quickstart: $(INSTALLED)  ## train a small open-vocabulary detector, test it, draw a text query
	$(PY) -m ovdistill train $(RECIPE)
	$(PY) -m ovdistill test $(RECIPE) $(RUN)/last.pth -o $(RUN)/test
	$(PY) -m ovdistill predict --config $(RECIPE) --checkpoint $(RUN)/last.pth \
	  --text "$(QUERY)" --background "$(OTHERS)" -o $(RUN)/demo

test: $(INSTALLED)  ## run the tests
	$(PY) -m pytest -q $(TESTS)

test-fast: $(INSTALLED)  ## run the tests that take under ten seconds each
	$(PY) -m pytest -q $(TESTS) -m 'not slow'

coverage: $(INSTALLED)  ## run the tests and say which lines none of them reaches
	$(PY) -m pytest -q $(TESTS) --cov --cov-report=term:skip-covered --cov-fail-under=90

lint: $(DEV)  ## check style, types and which room imports which
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY) -c 'from importlinter.cli import lint_imports_command as lint; lint()'

wheel: $(DEV)  ## build sdist and wheel, and use the wheel in a fresh environment and an empty folder
	PYTHON=$(PY) PIP_ARGS="$(PIP_ARGS)" .ci/check-wheel

docs: $(DOCS)  ## build the documentation as a site, into site/
	NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict

doctor: $(INSTALLED)  ## check the installation
	$(PY) -m ovdistill doctor

clean:  ## remove .venv and what tests and tools have cached; data/ and work_dirs/ stay
	rm -rf .venv .pytest_cache .hypothesis .ruff_cache .mypy_cache .import_linter_cache build dist site *.egg-info
	rm -f .coverage .coverage.*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# OpenCV's usual build needs libGL, which servers and containers lack; its headless build does not.
$(INSTALLED): pyproject.toml setup.py | $(PY)
	@$(PY) -m pip --version >/dev/null 2>&1 || $(PY) -m ensurepip
	$(PY) -m pip install $(PIP_ARGS) -e '.[test]'
	@$(PY) -c 'import cv2' 2>/dev/null || { \
	  echo 'OpenCV does not load without libGL: installing its headless build'; \
	  $(PY) -m pip install $(PIP_ARGS) --force-reinstall --no-deps 'opencv-python-headless<4.13'; }
	@touch $@

$(DEV): $(INSTALLED)
	$(PY) -m pip install -q $(PIP_ARGS) -e '.[dev]'
	@touch $@

$(DOCS): $(INSTALLED)
	$(PY) -m pip install -q $(PIP_ARGS) -e '.[docs]'
	@touch $@

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	  echo 'error: $(PYTHON) is missing or older than Python 3.10.' \
	  'Name a newer one: make $(MAKECMDGOALS) PYTHON=python3.12' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { \
	  echo 'error: $(PYTHON) cannot make virtual environments.' \
	  'On Debian and Ubuntu: sudo apt-get install python3-venv' >&2; exit 1; }
	$(PYTHON) -m venv .venv
