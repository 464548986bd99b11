# Commands for a fresh machine:   make demo,   make quick,   make test,   make test-all.   GPU=1 takes the CUDA build.

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

# Two processes of one thread each: more threads would only wait for each other.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal
QUICK := $(addprefix tests/, motion prompts lm/decoding/test_generate_parity.py lm/training/test_span_corruption.py \
	tokenizer_vqvae/test_ema_reset_quantizer.py tokenizer_vqvae/test_vqvae.py retriever/networks retriever/test_golden.py \
	$(addprefix eval/test_, captioning.py facts.py generation.py rare.py reconstruction.py retrieval.py) \
	eval/evaluators/test_guo.py data/test_humanml3d.py data/test_procedural_facts.py runtime/test_files.py \
	stages/test_databases.py commands/test_generate.py)

.PHONY: demo serve quick test test-all lint-check rehearse fuzz lint docs browser-libraries install clean

demo: $(VENV)/.installed-$(EXTRA)
	$(BIN)/remogpt demo --out demo
	@echo "to play with captions and motions of your own, in a browser: make serve"

# A page and an HTTP API on this machine: http://127.0.0.1:8000/
serve: $(VENV)/.installed-$(EXTRA)-serve
	$(BIN)/remogpt serve

# About a minute: every room's comparison with reference code, known answers, and the ways a user may go wrong.
quick: $(VENV)/.installed-$(EXTRA)-dev
	$(PYTEST) --maxfail=1 -m "not slow" $(QUICK)

# All but what is marked slow: whole trainings, recipes and benchmarks, a browser, processes that are killed.
test: lint-check
	$(PYTEST) -m "not slow"

test-all: lint-check
	$(PYTEST)

lint-check: $(VENV)/.installed-$(EXTRA)-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The recipes of the papers' tables on small made sets and models: every stage, up to the tables, whose numbers mean nothing.
rehearse: $(VENV)/.installed-$(EXTRA)
	scripts/rehearse.sh $(or $(REHEARSAL_FOLDER),runs/rehearsal)
	@echo "open $(or $(REHEARSAL_FOLDER),runs/rehearsal)/tables/tables.html"

# An hour of damaged inputs for every reader, and 2,000 hostile requests for the service; what is found lies in fuzz/findings, with the seed that makes it again.
fuzz: $(VENV)/.installed-$(EXTRA)-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m fuzz --seconds $(or $(SECONDS_OF_FUZZ),3600) --seed $(or $(SEED),0)
	OMP_NUM_THREADS=1 $(BIN)/python -m fuzz.http --requests $(or $(REQUESTS),2000) --seed $(or $(SEED),0)

lint: $(VENV)/.installed-$(EXTRA)-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/mypy

docs: $(VENV)/.installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "open site/index.html"

# three.js and Khronos's validator, which read our glTF files in tests/motion/test_glb.py; without them those are skipped.
browser-libraries:
	npm install --no-audit --no-fund --prefix tests/browser

install: $(VENV)/.installed-$(EXTRA)

$(VENV)/.installed-$(EXTRA): pyproject.toml constraints-cpu.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet $(CONSTRAINTS) --editable ".[$(EXTRA)]"
	@touch $@

$(VENV)/.installed-$(EXTRA)-dev: $(VENV)/.installed-$(EXTRA)
	$(BIN)/pip install --quiet $(CONSTRAINTS) --editable ".[$(EXTRA),dev]"
	@touch $@

$(VENV)/.installed-$(EXTRA)-serve: $(VENV)/.installed-$(EXTRA)
	$(BIN)/pip install --quiet $(CONSTRAINTS) --editable ".[$(EXTRA),serve]"
	@touch $@

$(VENV)/.installed-docs: $(VENV)/.installed-$(EXTRA)
	$(BIN)/pip install --quiet $(CONSTRAINTS) --editable ".[$(EXTRA),docs]"
	@touch $@

clean:
	rm -rf .venv .venv-gpu demo build dist site *.egg-info
