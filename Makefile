# The verbs of this project. `make run` and `make test` are all that one needs.
BIN := .venv/bin
STUDIO := $(BIN)/ltx-studio
DEMO_DIR := outputs/demo

.PHONY: run demo setup setup-dev test test-all check test-gpu fuzz lint format bench faults soak obey screenshots table golden lock package clean

run: setup  ## set up, then open the page
	@$(STUDIO) serve

demo: setup  ## set up, then render one clip for each mode with the pocket model
	@$(BIN)/python -m tools.demo --out $(DEMO_DIR)

setup:
	@./setup.sh

setup-dev:
	@./setup.sh --dev

TESTS ?=
test: setup-dev  ## everything, fast tests first (TESTS=tests/web for a part); installs Debian's chromium when it may
	@tools/ensure-chromium.sh
	@OMP_NUM_THREADS=1 $(BIN)/pytest $(TESTS) --numprocesses 2 --dist loadfile --no-loadscope-reorder  # more threads than cores wait for each other

test-all: setup-dev  ## everything, and the whole tables of which `make test` takes a tenth
	@tools/ensure-chromium.sh
	@OMP_NUM_THREADS=1 $(BIN)/pytest --all --numprocesses 2 --dist loadfile --no-loadscope-reorder

check: lint  ## lint, types, and the tests that need neither ComfyUI nor a browser (6 minutes)
	@OMP_NUM_THREADS=1 $(BIN)/pytest --quiet -m "not engine and not browser" --numprocesses 2 --dist loadfile tests

test-gpu: setup-dev
	@$(BIN)/pytest --gpu

FUZZ_CASES ?= 30000
fuzz: setup-dev  ## run $(FUZZ_CASES) hostile inputs through each parser of user files; failures go to test-results/fuzz
	@FUZZ_CASES=$(FUZZ_CASES) OMP_NUM_THREADS=1 $(BIN)/pytest tests/fuzz --numprocesses 2

lint: setup-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache --no-logo
	@$(BIN)/deptry ltx_studio

format: setup-dev
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: setup-dev  ## seconds and ratios of the way from nothing to a clip, and of the page
	@tools/ensure-chromium.sh
	@$(BIN)/python -m bench.spine
	@$(BIN)/python -m bench.models
	@$(BIN)/python -m bench.jobs
	@$(BIN)/python -m bench.page

faults: setup-dev  ## kill, fill, lock and damage test studios, and check that nothing is lost (KILLS=200)
	@$(BIN)/python -m bench.faults

soak: setup-dev  ## measure a server's memory after 120 runs and 1,000 sessions (RUNS, SESSIONS)
	@$(BIN)/python -m bench.soak

obey: setup  ## ask the pocket model for what it promises: docs/obedience.json, its model card
	@$(BIN)/python -m lab.obey

screenshots: setup-dev  ## take the pictures in docs/screenshots anew
	@tools/ensure-chromium.sh
	@$(BIN)/python -m tools.screenshots

table: setup-dev  ## measure what each mode takes in each preset, for the README
	@$(BIN)/python -m tools.table

golden: setup-dev  ## write anew what tests compare with: the patched graphs, and what the editor makes of workflows
	@$(BIN)/python -m tools.golden_graphs
	@$(BIN)/python -m tools.model_inputs
	@$(BIN)/python -m tools.path_inputs
	@$(BIN)/python -m tools.node_tables
	@tools/ensure-chromium.sh
	@$(BIN)/python -m tools.editor_oracle

lock:  ## write the pinned versions anew from pyproject.toml
	@tools/lock.sh

package: setup-dev  ## install the wheel in an empty environment, and set up, render and serve with it
	@tools/try-package.sh

clean:
	rm -rf .venv outputs/demo .mypy_cache .pytest_cache .ruff_cache
