# Everything is installed into .venv: the packages of requirements.lock, then this project.
PYTHON ?= python3.11
BIN := .venv/bin
UV := $(BIN)/uv

.PHONY: help install run test test-fast lint format docs bench bench-objectives bench-sizes \
  bench-workers bench-threads bench-scaling bench-memory bench-growth bench-million bench-pairs \
  bench-nights bench-graphs bench-graphs-search bench-graphs-nights bench-sessions \
  bench-sessions-search bench-given-pairs bench-given-pairs-search bench-walks lock clean
help:           ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## */make \1\t/p' Makefile

install: .venv/installed    ## install what is missing into .venv

# All by hashes: first uv and what builds the few packages that have no wheel, then everything. The
# builds get nothing else: without isolation they may fetch nothing.
.venv/installed: requirements-build.lock requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv --without-pip .venv
	$(PYTHON) -m pip --python $(BIN)/python install --quiet --disable-pip-version-check \
	  --no-deps --require-hashes --requirement requirements-build.lock
	$(UV) pip sync --quiet --require-hashes --no-build-isolation --python $(BIN)/python \
	  requirements.lock
	$(UV) pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python --editable .
	touch $@

run: install    ## run the pipeline on the quick-start corpus
	$(BIN)/skipgram run

# In two processes, a file of tests by one of them: what its tests share is made once. In the order of
# the folders: by default files of few tests come last, and the longest pipeline runs are such.
PYTEST := $(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

test: install   ## run the tests
	$(PYTEST)

test-fast: install   ## run the tests that take no pipeline run
	$(PYTEST) -m "not slow"

lint: install   ## check format, style, types and the Dockerfile
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/hadolint deploy/Dockerfile

format: install ## format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: install   ## write docs/configuration.md anew from the fields
	$(BIN)/python -m pipeline.config_reference docs/configuration.md

bench: install  ## compare training with gensim's (20 minutes on the books)
	$(BIN)/python -m benchmarks.run

bench-objectives: install  ## compare the objectives
	$(BIN)/python -m benchmarks.objectives

bench-sizes: install  ## the defaults on 120 thousand, 17 million and 100 million words
	$(BIN)/python -m benchmarks.sizes

bench-workers: install  ## several workers on this machine, and what more would do on paper
	$(BIN)/python -m benchmarks.parallel.workers
	$(BIN)/python -m benchmarks.parallel.more_workers

bench-threads: install  ## threads that step on the same tables: quality and CPU seconds
	$(BIN)/python -m benchmarks.parallel.threads

bench-scaling: install  ## training as words, dimensions and vocabulary grow
	$(BIN)/python -m benchmarks.scaling

bench-memory: install  ## seconds and memory from files to pairs, of 1 and 4 GB of text
	$(BIN)/python -m benchmarks.growth.memory

bench-nights: install  ## ten nights replayed on books, and what the gate says of each
	$(BIN)/python -m benchmarks.nights

bench-sessions: install  ## the next item of shopping sessions, beside gensim and counts
	$(BIN)/python -m benchmarks.sessions.compare

bench-sessions-search: install  ## how the defaults of sessions were found, trial by trial
	$(BIN)/python -m benchmarks.sessions.search

bench-given-pairs: install  ## contexts of given pairs, beside counts, factors and, if IMPLICIT names a Python with it, implicit
	$(BIN)/python -m benchmarks.given_pairs.compare $(if $(IMPLICIT),--implicit $(IMPLICIT))

bench-given-pairs-search: install  ## how the defaults of pairs were found, trial by trial
	$(BIN)/python -m benchmarks.given_pairs.search

bench-graphs: install  ## nodes' classes and links, beside gensim and, if PECANPY names it, PecanPy
	$(BIN)/python -m benchmarks.graphs.compare $(if $(PECANPY),--pecanpy $(PECANPY))

bench-graphs-search: install  ## how the defaults of graphs were found, trial by trial
	$(BIN)/python -m benchmarks.graphs.search

bench-graphs-nights: install  ## nights of one graph, and what the gate says of each
	$(BIN)/python -m benchmarks.graphs.nights

bench-growth: install  ## the whole pipeline on 1, 4, 17 and 170 million words
	$(BIN)/python -m benchmarks.growth.whole

bench-million: install  ## vocabularies up to a million tokens
	$(BIN)/python -m benchmarks.million

bench-pairs: install  ## training from pairs beside training from windows
	$(BIN)/python -m benchmarks.pairs

bench-walks: install  ## from edges to walks: 10 million edges; 100,000 beside pecanpy's walks
	$(BIN)/python -m benchmarks.walks.speed

lock: install   ## write requirements.lock and requirements-build.lock from pyproject.toml
	$(UV) pip compile pyproject.toml --extra dev --generate-hashes --no-emit-index-url \
	  --no-header --quiet --python-version 3.11 --output-file requirements.lock
	sed -n '/^setuptools==/,/#/p; /^uv==/,/#/p; /^wheel==/,/#/p' requirements.lock \
	  | sed '/#/d' >requirements-build.lock

# Not output/: it holds blessed models.
clean:          ## remove what was installed and built; output/ stays
	rm -rf .venv output-benchmarks build *.egg-info
