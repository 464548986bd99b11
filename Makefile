# Two commands on a fresh machine:   make demo   and   make test.   GPU=1 takes the CUDA build.

PYTHON ?= python3

# The two builds of torch and of FAISS cannot share an environment, so each has its own.
ifeq ($(GPU),1)
VENV := .venv-gpu
EXTRA := gpu
CONSTRAINTS :=
else
VENV := .venv
EXTRA := cpu
CONSTRAINTS := --constraint constraints-cpu.txt
endif
BIN := $(VENV)/bin

.PHONY: demo test lint docs install clean

demo: $(VENV)/.installed-$(EXTRA)
	$(BIN)/remogpt demo --out demo

test: $(VENV)/.installed-$(EXTRA)-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest

lint: $(VENV)/.installed-$(EXTRA)-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/mypy

docs: $(VENV)/.installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "open site/index.html"

install: $(VENV)/.installed-$(EXTRA)

$(VENV)/.installed-$(EXTRA): pyproject.toml constraints-cpu.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet $(CONSTRAINTS) --editable ".[$(EXTRA)]"
	@touch $@

$(VENV)/.installed-$(EXTRA)-dev: $(VENV)/.installed-$(EXTRA)
	$(BIN)/pip install --quiet $(CONSTRAINTS) --editable ".[$(EXTRA),dev]"
	@touch $@

$(VENV)/.installed-docs: $(VENV)/.installed-$(EXTRA)
	$(BIN)/pip install --quiet $(CONSTRAINTS) --editable ".[$(EXTRA),docs]"
	@touch $@

clean:
	rm -rf .venv .venv-gpu demo build dist site *.egg-info
