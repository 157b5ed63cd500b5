# Each target sets up what it needs, once, in .venv: a fresh clone needs Python 3.11 or newer and nothing else.

PYTHON ?= python3
BIN := .venv/bin
# A worker for each core; what it is given last, an idle one takes from it.
PARALLEL := -n auto --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help demo test lint pytest test-torch test-oldest coverage quality ladder blind-bench honest field sharp \
	learned bench docs dist clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

demo: .venv/stamp-demo ## blur a page, restore it blind, read it: picture in demo/
	@.ci/need tesseract tesseract-ocr "the demo restores the picture but cannot read it"
	$(BIN)/deconv demo

test: lint pytest ## lint, types and all quick tests

lint: .venv/stamp-test ## ruff check, ruff format --check, mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

pytest: .venv/stamp-test
	@.ci/need tesseract tesseract-ocr "tests that read text are skipped"
	@.ci/need g++ g++ "tests that run CUDA text on the CPU are skipped"
	$(BIN)/python -m pytest -q $(PARALLEL)

test-torch: .venv-torch/stamp-test,torch ## the tests of the array libraries on PyTorch's tensors, in .venv-torch
	.venv-torch/bin/python -m pytest -q $(PARALLEL) -k torch

test-oldest: .venv-oldest/stamp-test ## all quick tests with the oldest versions allowed, in .venv-oldest (Python 3.11)
	.venv-oldest/bin/python -m pytest -q $(PARALLEL)

coverage: .venv/stamp-test ## lines and branches that the quick tests reach, and in htmlcov/
	$(BIN)/python -m pytest -q $(PARALLEL) --cov --cov-report=term --cov-report=html

quality: .venv/stamp-test ## slow: how well it restores, as tables
	@.ci/need tesseract tesseract-ocr "nothing can be read and scored"
	$(BIN)/python -m pytest -q -m slow
	$(BIN)/python -m benchmarks.studies.quality

ladder: .venv/stamp-test ## slow: the Helsinki ladder as tables, pictures in ladder/; LADDER="--pictures 2"
	@.ci/need tesseract tesseract-ocr "nothing can be read and scored"
	$(BIN)/python -m benchmarks.studies.ladder $(LADDER)

blind-bench: .venv/stamp-test ## slow: blind, free-form PSFs, as tables, pictures in blind-bench/; BLIND="--parts levin"
	@.ci/need tesseract tesseract-ocr "nothing can be read and scored"
	$(BIN)/python -m benchmarks.studies.blind_bench $(BLIND)

honest: .venv/stamp-test ## slow: classical and learned methods side by side, in honest/; HONEST="--only Wiener"
	@.ci/need tesseract tesseract-ocr "nothing can be read and scored"
	$(BIN)/python -m benchmarks.studies.honest $(HONEST)

field: .venv/stamp-test ## slow: pictures as ordinary people have them, as tables, in field/; FIELD="--seeds 0"
	@$(BIN)/python -c "import cv2" 2>/dev/null || $(BIN)/python -m pip install --quiet opencv-python-headless
	@.ci/need tesseract tesseract-ocr "nothing can be read and scored"
	$(BIN)/python -m benchmarks.studies.field $(FIELD)

sharp: .venv/stamp-test ## slow: 100 sharp pictures, which must come back unchanged, in sharp/; SHARP="--pictures grid-8"
	$(BIN)/python -m benchmarks.studies.sharp $(SHARP)

learned: .venv/stamp-learned ## slow: train the networks of examples/learned anew, an hour of CPU
	$(BIN)/python examples/learned/train.py nyrhila
	$(BIN)/python examples/learned/train.py unet

bench: .venv/stamp-bench ## a short set of the asv benchmarks, on this working tree
	cd benchmarks && ../$(BIN)/asv machine --yes && \
		../$(BIN)/asv run --python=same --quick \
		--bench 'bench_(accuracy|fft|import|vignette)|RichardsonLucy.time|Variational.track'

docs: .venv/stamp-docs ## the documentation and its gallery, in docs/_build/html
	@.ci/need tesseract tesseract-ocr "gallery pages that read text fail"
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build/html

dist: .venv/stamp-dist ## sdist and wheel in dist/, each installed, run and tested in a fresh environment; DIST="-k psf"
	.ci/dist $(BIN)/python $(DIST)

clean: ## remove everything that make made, .venv too
	rm -rf .venv .venv-torch .venv-oldest demo honest ladder blind-bench families field hallucination readability sharp build dist
	rm -rf docs/_build docs/api docs/gallery benchmarks/.asv htmlcov .coverage .pytest_cache .mypy_cache .ruff_cache
	rm -rf .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One stamp for each set of packages; a change of pyproject.toml installs anew.
.venv/stamp-demo: EXTRAS := ocr,plot
.venv-oldest/stamp-%: CONSTRAINT := --constraint .ci/oldest.txt
.venv/stamp-% .venv-torch/stamp-% .venv-oldest/stamp-%: EXTRAS = $*

define install
$(@D)/bin/python -m pip install --quiet $(CONSTRAINT) --editable ".[$(EXTRAS)]"
@touch $@
endef

.venv/stamp-%: pyproject.toml setup.py | .venv/stamp
	$(install)

# PyTorch first, so that a build for the CPU alone can be asked for, which is much smaller:
# make test-torch TORCH="torch --index-url https://download.pytorch.org/whl/cpu"
TORCH ?= torch
.venv-torch/stamp-%: pyproject.toml setup.py | .venv-torch/stamp
	$(@D)/bin/python -m pip install --quiet $(TORCH)
	$(install)

.venv-oldest/stamp-%: pyproject.toml setup.py .ci/oldest.txt | .venv-oldest/stamp
	$(install)

.venv-oldest/stamp: PYTHON := python3.11
.venv/stamp .venv-torch/stamp .venv-oldest/stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "deconv needs Python 3.11 or newer; try: make PYTHON=python3.12" >&2; exit 1; }
	@.ci/need venv python3-venv "there is no other way to go on"
	$(PYTHON) -m venv $(@D)
	@touch $@
