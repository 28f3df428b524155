# make figures, on a machine with Python 3.11 or newer: builds .venv from the lock, runs the notebooks, writes figures/.
#
# The target of a notebook is the executed notebook under build/, which git ignores: the times of committed figures mean
# nothing after a clone. Its prerequisites are read from the sources by analysis/shown/closure.py.

PYTHON ?= python3
TARGET ?= mish

VENV  := .venv
PY    := $(VENV)/bin/python
READY := $(VENV)/ready
EXTRAS := .venv-extras
# with the frameworks where they are there
MEASURE = $(if $(wildcard $(EXTRAS)/ready),$(EXTRAS)/bin/python,$(PY))
BROWSER ?= $(PY)

# A folder name for TARGET, which may be an expression; what had to be replaced in it is told apart by a checksum.
slug := t='$(subst ','\'',$(TARGET))'; s=$$(printf %s "$$t" | tr -cs 'A-Za-z0-9_\n-' _); \
	[ "$$s" = "$$t" ] || s=$$s-$$(printf %s "$$t" | cksum | cut -c1-6); printf %s "$$s"
SLUG    := $(if $(filter-out mish,$(TARGET)),$(shell $(slug)),mish)
FIGURES := figures$(if $(filter-out mish,$(SLUG)),/$(SLUG))
BUILD   := build/$(SLUG)
KNOWN   := $(if $(filter-out mish,$(SLUG)),$(BUILD)/known)

NOTEBOOKS := $(wildcard notebooks/*.ipynb)
EXECUTED  := $(NOTEBOOKS:notebooks/%=$(BUILD)/%)
SOURCES   := $(NOTEBOOKS) $(filter-out %/__pycache__,$(wildcard analysis/*.py analysis/*/* analysis/*/*/* results/* results/*/*))
RUNNER    := $(patsubst %,analysis/shown/%.py,kernels notebooks publishing reproducible warm)

MAKEFLAGS += --no-builtin-rules
# Whatever the locale, files are UTF-8. What Python compiles is kept, or each notebook would compile its imports again.
export PYTHONUTF8 = 1
unexport PYTHONHOME PYTHONPATH PYTHONWARNINGS PYTHONDONTWRITEBYTECODE

.PHONY: help figures drawn site pages test proofs test-extras drawings browser slow bench exhaustive optima frontiers sweeps study lint lab lock clean FORCE

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' Makefile

# Beside make runs a process of which each notebook gets a copy, with all that it imports; not for -n and -q.
BESIDE = $(if $(findstring n,$(SHORT))$(findstring q,$(SHORT)),,$(PY) -m analysis.shown.warm beside)
SHORT = $(firstword -$(MAKEFLAGS))

figures: | $(READY) $(KNOWN) ## run the notebooks and write figures/ (TARGET=gelu: for another function, into figures/gelu/)
	+@$(BESIDE) $(MAKE) --no-print-directory drawn

drawn: $(EXECUTED)

$(BUILD)/%.ipynb: notebooks/%.ipynb requirements.lock $(RUNNER) | $(READY) $(KNOWN)
	@$(PY) -m analysis.shown.warm run $< --target '$(subst ','\'',$(TARGET))' --figures $(FIGURES) --build $(BUILD)

# A target that is none stops here, before any notebook runs.
$(BUILD)/known: | $(READY)
	@$(PY) -m analysis.shown.notebooks check '$(subst ','\'',$(TARGET))'
	@mkdir -p $(@D) && touch $@

# The gallery: pages of the executed notebooks, of the functions of the catalogue, and what leads to them.
SITE    := $(if $(filter mish,$(SLUG)),build/site,$(BUILD)/site)
GALLERY := $(wildcard gallery/*)

site: figures ## a static gallery of notebooks and activations, into build/site/
	+@$(MAKE) --no-print-directory pages

pages: $(SITE)/index.html

$(SITE)/notebooks/%.html: $(BUILD)/%.ipynb $(GALLERY) | $(READY)
	@$(PY) -m gallery notebook $< $@

$(SITE)/functions/done: $(filter-out notebooks/% results/%,$(SOURCES)) $(GALLERY) | $(READY)
	@$(PY) -m gallery functions $(@D)
	@touch $@

$(SITE)/index.html: $(EXECUTED:$(BUILD)/%.ipynb=$(SITE)/notebooks/%.html) $(SITE)/functions/done $(wildcard results/*)
	@$(PY) -m gallery index $(@D) $(EXECUTED) --figures $(FIGURES)

ifneq (,$(filter drawn pages $(BUILD)/%.ipynb,$(MAKECMDGOALS)))
include build/deps.mk

# A figure that is missing, or is not what its notebook drew, runs the notebook again.
STALE := $(shell for m in $(EXECUTED:%.ipynb=%.sha256); do \
	test -e $$m && { test ! -s $$m || sha256sum --check --status $$m; } || echo $${m%.sha256}.ipynb; done 2>/dev/null)
$(STALE): FORCE
endif

# Folders count as well: they are newer after a file in them was added or removed.
build/deps.mk: $(SOURCES) $(sort $(dir $(SOURCES))) | $(READY)
	@mkdir -p $(@D)
	@$(PY) -P analysis/shown/closure.py $@

# Under a lock, for two makes may start at once. An environment without its last file was interrupted: it starts anew.
# The editable install is a path, here a relative one: Python 3.11 reads it in the encoding of the locale, and in locale C
# an absolute one with an accent in it would keep any program of this environment from starting.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("actapprox needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	@$(if $(shell command -v flock),flock $(VENV).lock) sh -euc '$(environment)'

define environment
newer() { test $(READY) -nt $$1; }; \
install() { $(PY) -m uv pip install --quiet --python $(PY) "$$@" || $(PY) -m pip install --quiet "$$@"; }; \
newer requirements.lock && newer pyproject.toml && exit; \
newer requirements.lock || { \
	echo "making $(VENV) from requirements.lock"; \
	$(PYTHON) -m venv --clear $(VENV); \
	sed -n "/^uv==/,/[^\\\\]$$/p" requirements.lock > $(VENV)/uv.txt; \
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $(VENV)/uv.txt || true; \
	install --no-deps --require-hashes --requirement requirements.lock; \
	mkdir $(VENV)/matplotlib; \
	MPLCONFIGDIR=$(VENV)/matplotlib $(PY) -c "import matplotlib.font_manager"; \
}; \
install --no-deps --no-build-isolation --no-index --editable .; \
for path in $(VENV)/lib/*/site-packages/_actapprox.pth; do echo ../../../.. > $$path; done; \
touch $(READY)
endef

$(EXTRAS)/ready: requirements.lock pyproject.toml | $(READY)
	@$(if $(shell command -v flock),flock $(EXTRAS).lock) sh -euc '$(extras)'

# The lock first, so that pip finds it met; pip for the rest, which looks where it is told to (PIP_EXTRA_INDEX_URL).
define extras
of() { $(PY) -c "import sys, tomllib; extras = tomllib.load(open(\"pyproject.toml\", \"rb\"))[\"project\"][\"optional-dependencies\"]; \
	print(*sorted({package for extra in sys.argv[1:] for package in extras[extra]}))" "$$@"; }; \
pip() { $(EXTRAS)/bin/python -m pip install --quiet --disable-pip-version-check "$$@"; }; \
test $@ -nt requirements.lock || { \
	echo "making $(EXTRAS) from requirements.lock and the extras train, frameworks, cluster and oracles"; \
	$(PYTHON) -m venv --clear $(EXTRAS); \
	pip --no-deps --require-hashes --requirement requirements.lock; \
}; \
pip $$(of train frameworks cluster); \
pip --no-deps $$(of oracles); \
pip --no-deps --no-build-isolation --no-index --editable .; \
for path in $(EXTRAS)/lib/*/site-packages/_actapprox.pth; do echo ../../../.. > $$path; done; \
touch $@
endef

test: | $(READY) ## the test suite
	@$(PY) -m pytest -n 2 --dist worksteal -m "not proof and not slow and not drawing and not browser"

proofs: | $(READY) ## the tests that take seconds each: long proofs, processes that are killed, make in projects of their own
	@$(PY) -m pytest -n 2 --dist worksteal -m "proof and not slow and not drawing and not browser"

drawings: | $(READY) ## test that the committed figures are what the notebooks draw
	@$(PY) -m pytest -n 2 -m "drawing and not slow"

browser: site ## the explorer, every notebook and the site in a headless Chromium (BROWSER=... : a Python with playwright)
	@$(BROWSER) -m pytest -n 0 -m browser

test-extras: | $(EXTRAS)/ready ## the tests that need PyTorch, JAX, ONNX or others' packages, in an environment of their own
	@$(EXTRAS)/bin/python -m pytest -n 2 -m "extras and not slow and not browser"

slow: | $(READY) ## the tests that take minutes or ask the network
	@$(PY) -m pytest -m "slow and not browser"

bench: | $(READY) ## measure what certainty and designs cost, beside other tools where they are installed, into results/ (BENCH, DESIGNS=... : options)
	@$(PY) -m benchmarks.distances $(BENCH)
	@$(PY) -m benchmarks.designs $(DESIGNS)
	@$(MEASURE) -m benchmarks.kernels $(KERNELS)

exhaustive: | $(READY) ## the errors of kernels over all float32 inputs, into results/: minutes each, it goes on where it was (EXHAUSTIVE=... : options)
	@$(MEASURE) -m benchmarks.precision $(EXHAUSTIVE)

optima: | $(READY) ## prove the best constants of every family for Mish, Swish and GELU again, into results/: an hour at most
	@$(PY) -m benchmarks.optima $(OPTIMA)

frontiers: | $(READY) ## the frontiers of Mish, Swish and GELU, and figures in print against the best, into results/: minutes
	@$(PY) -m benchmarks.frontiers
	@$(PY) -m benchmarks.literature

study: | $(EXTRAS)/ready ## what an activation does to a network, paired over seeds, into results/: two hours (STUDY=... : options)
	@$(EXTRAS)/bin/python -m benchmarks.training $(STUDY)

sweeps: | $(READY) ## measure what a second worker gains a sweep, into results/ (SWEEPS=... : options)
	@$(MEASURE) -m benchmarks.sweeps $(SWEEPS)

lint: | $(READY) ## style, formatting, types; stored notebooks carry no outputs
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(if $(NOTEBOOKS),$(PY) -m nbstripout --verify --keep-id $(NOTEBOOKS))
	$(PY) -m mypy

lab: | $(READY) ## open the notebooks in JupyterLab (LAB=... : its options)
	JUPYTER_PREFER_ENV_PATH=1 $(PY) -m jupyterlab --LabApp.default_url=/lab/tree/notebooks $(LAB)

lock: | $(READY) ## resolve requirements.lock from pyproject.toml again (LOCK=--upgrade: to the newest)
	$(PY) -m uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes \
		--no-annotate --no-header --extra notebooks --extra dev $(LOCK) --output-file requirements.lock pyproject.toml

clean: ## remove what make and the tools have made, but the figures and .venv
	rm -rf build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path './.venv*/*' -prune -exec rm -r {} +
