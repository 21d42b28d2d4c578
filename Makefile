# make demo   set up and run the main job on the shipped network and a photograph
# make test   set up and pass every check: lint, format, types, documentation, tests
# make nightly, make faults, make area   hours: large runs, seeded faults of the Verilog, its tables
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
MODEL := codesign/models/zoo/nqe_cifar10.onnx
# a data folder beside the checkout is used where there is one
export CODESIGN_DATA ?= $(abspath $(wildcard ../shared/data))

PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install -c constraints.txt

.PHONY: demo test check lint types docs tests nightly faults area wheel clean

demo: $(VENV)/.demo
	$(BIN)/codesign simulate $(MODEL) --hw hw_configs/asic_1mb.yaml \
	  --input "$$($(BIN)/python -c 'import skimage, pathlib; print(pathlib.Path(skimage.__file__).parent / "data" / "chelsea.png")')"

test: $(VENV)/.test check

check: lint types docs tests

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types:
	$(BIN)/mypy

docs:
	$(BIN)/mkdocs build --quiet --strict --site-dir build/site

tests:
	$(BIN)/pytest -q -m "not nightly" $(PYTEST_ARGS)

nightly: $(VENV)/.test
	$(BIN)/pytest -q -m nightly $(PYTEST_ARGS)

faults: $(VENV)/.test
	$(BIN)/python -m tests.rtl_models.faults --jobs 2 --write

area: $(VENV)/.test
	$(BIN)/python docs/_area.py

wheel: $(VENV)/.test
	$(BIN)/python -m build --no-isolation --outdir dist .

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) -e '.[demo]'
	touch $@

$(VENV)/.test: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) -e '.[train,demo,test]'
	touch $@

clean:
	rm -rf $(VENV) build dist site
