# make demo    a whole study with simulated people, then left open for you (SERVE=0: ends by itself; TRAIN=0: no network
#              learns from its labels, for which PyTorch is installed otherwise)
# make test    everything that is checked: lint, types, import contracts, all tests
# make check   the quick part of it: lint, types, and fast tests on SQLite, without browser, marketplace and models
# make bench   the benchmarks, each with its ratio
# make chaos   people are paid while the paying process is killed, at every step, on every platform
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
SERVE ?= 1
TRAIN ?= 1

.PHONY: demo test check bench chaos lint clean

$(VENV)/.user: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "crowdloom needs Python 3.11 or newer; run: make $(or $(MAKECMDGOALS),demo) PYTHON=python3.11"; exit 1; }
	@test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	@echo "Installing crowdloom into $(VENV) …"
	@$(RUN) -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	@$(RUN) -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.user
	@echo "Installing what the tests need …"
	@$(RUN) -m pip install --quiet --disable-pip-version-check --editable . --group dev
	@# What attacks are compared with; without its dependencies, as it pins a version of requests from 2021.
	@$(RUN) -m pip install --quiet --disable-pip-version-check --no-deps "torchattacks>=3.5"
	@touch $@

$(VENV)/.bench: $(VENV)/.dev
	@echo "Installing what the benchmarks compare with …"
	@$(RUN) -m pip install --quiet --disable-pip-version-check --group bench
	@touch $@

$(VENV)/.train: $(VENV)/.user
	@$(RUN) -c 'import importlib.util as u, sys; sys.exit(u.find_spec("torch") is None)' || \
	  echo "Installing PyTorch, to learn from the labels: about 3 GB to download on Linux with x86-64, most of it CUDA; TRAIN=0 leaves it out …"
	@$(RUN) -m pip install --quiet --disable-pip-version-check --editable ".[train]"
	@touch $@

demo: $(VENV)/$(if $(filter 0,$(TRAIN)),.user,.train)
	@$(RUN) -m crowdloom.studies.cli demo --folder demo $(if $(filter 0,$(SERVE)),--no-serve)

lint: $(VENV)/.dev
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	$(VENV)/bin/lint-imports --no-cache

# Where Python is told to keep nothing compiled, hundreds of processes would compile all of it anew.
test check: export PYTHONDONTWRITEBYTECODE =
# Tests run side by side: threads inside each of them would only wait for processors.
test check: export OPENBLAS_NUM_THREADS ?= 1
test check: export OMP_NUM_THREADS ?= 1

test: lint
	$(RUN) -m pytest tests -n 3 --dist loadfile --no-loadscope-reorder
	$(RUN) -m pytest --doctest-modules .src/crowdloom -o testpaths= -q

check: lint
	$(RUN) -m pytest tests -n 2 --dist loadfile -m "not slow" -k "not postgres" -q \
	  --ignore tests/browser --ignore tests/models --ignore tests/studies/marketplace --ignore tests/studies/platforms

chaos: $(VENV)/.dev
	$(RUN) -m tests.studies.killing

bench: $(VENV)/.bench
	$(RUN) -m tests.bench

clean:
	rm -rf $(VENV) demo .mypy_cache .ruff_cache .pytest_cache
