# Targets of this project. You need `make run` and `make test`; `make help` lists the others.
BIN := .venv/bin
STUDIO := $(BIN)/ltx-studio
DEMO_DIR := outputs/demo

.PHONY: run help demo setup packages setup-dev test test-all check test-gpu fuzz lint format lab editor zerogpu bench faults soak obey screenshots example-clips table golden words lock space package clean test-cluster test-canary

run: setup  ## set up, then serve the page
	@$(STUDIO) serve

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: setup  ## set up, then render one clip per mode with the pocket model
	@$(BIN)/python -m tools.demo --out $(DEMO_DIR)

setup:  ## install packages, ComfyUI and the pocket model
	@./setup.sh

packages:  ## install the packages and the development tools, without ComfyUI and the pocket model
	@./setup.sh --dev --packages

setup-dev: packages  ## set up, and install the development tools
	@./setup.sh --dev
	@tools/ensure-spaces.sh

TESTS ?=
# As many as a small machine has cores: three on two cores take longer than two, and so do more threads than cores.
WORKERS ?= 2
test: setup-dev  ## run all tests (TESTS=tests/web: some of them); as root on Debian, installs Chromium if it is missing
	@tools/ensure-chromium.sh
	@OMP_NUM_THREADS=1 $(BIN)/pytest $(or $(TESTS),tests $$($(BIN)/python -m tools.changed)) --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

test-all: setup-dev  ## run all tests with every row of the large tables, of which `make test` runs a tenth
	@tools/ensure-chromium.sh
	@tools/ensure-ray.sh
	@OMP_NUM_THREADS=1 $(BIN)/pytest --all --numprocesses 2 --dist loadfile --no-loadscope-reorder

check: setup-dev lint  ## run lint and the quick tests, which need neither ComfyUI nor a browser (a minute)
	@OMP_NUM_THREADS=1 $(BIN)/pytest --quiet -m "not engine and not browser and not slow" --numprocesses 2 --dist loadfile tests

test-gpu: setup-dev  ## run all tests, with those that need a GPU
	@$(BIN)/pytest --gpu

test-cluster: setup-dev  ## install Ray into .venv/ray, and run all tests of the cluster
	@tools/ensure-ray.sh
	@OMP_NUM_THREADS=1 $(BIN)/pytest --all tests/runners/ray

test-canary: setup-dev  ## run the page's smoke tests on the newest Gradio (GRADIO=6.30.0: on another one)
	@tools/ensure-chromium.sh
	@OMP_NUM_THREADS=1 tools/test-canary.sh

FUZZ_CASES ?= 30000
fuzz: setup-dev  ## run 30,000 hostile inputs through each parser of user files (FUZZ_CASES=3200: fewer)
	@FUZZ_CASES=$(FUZZ_CASES) OMP_NUM_THREADS=1 $(BIN)/pytest tests/fuzz --numprocesses 2

lint: packages  ## check style, types, imports and dependencies
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache --no-logo
	@$(BIN)/deptry ltx_studio

format: packages  ## format the code, and fix what lint can fix
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lab: setup-dev  ## run the tests of the pocket model's training, and store that they passed
	@OMP_NUM_THREADS=1 $(BIN)/pytest lab/tests --numprocesses 2 --dist loadfile
	@$(BIN)/python -m tools.changed --passed lab

editor: setup-dev  ## open the workflows in ComfyUI's own editor, and store that the tests passed
	@tools/ensure-chromium.sh
	@OMP_NUM_THREADS=1 $(BIN)/pytest tests/web/editor
	@$(BIN)/python -m tools.changed --passed editor

zerogpu: setup-dev  ## run the tests with Hugging Face's ZeroGPU package, and store that they passed
	@tools/ensure-chromium.sh
	@OMP_NUM_THREADS=1 $(BIN)/pytest tests/runners/zerogpu/hosted
	@$(BIN)/python -m tools.changed --passed zerogpu

bench: setup-dev  ## measure set-up, downloads, the queue and the page
	@tools/ensure-chromium.sh
	@$(BIN)/python -m bench.spine
	@$(BIN)/python -m bench.models
	@$(BIN)/python -m bench.jobs
	@$(BIN)/python -m bench.page
	@$(BIN)/python -m bench.history

faults: setup-dev  ## kill, fill, lock and damage test studios, and check that nothing is lost (KILLS=20: fewer kills)
	@$(BIN)/python -m bench.faults

soak: setup-dev  ## measure a server's memory over 120 runs and 1,000 sessions (RUNS=20, SESSIONS=50: fewer)
	@$(BIN)/python -m bench.soak

obey: setup  ## measure how well the pocket model follows prompts; writes docs/obedience.json and its model card
	@$(BIN)/python -m lab.obey

screenshots: setup-dev  ## update docs/screenshots
	@tools/ensure-chromium.sh
	@$(BIN)/python -m tools.screenshots

example-clips: setup-dev  ## render the small clips that the page's examples show
	@$(BIN)/python -m tools.example_clips

table: setup-dev  ## measure time and memory of each mode and preset, and update the README's table
	@$(BIN)/python -m tools.table

golden: setup-dev  ## update the files that tests compare with: patched graphs, tables of nodes, the editor's answers
	@$(BIN)/python -m tools.golden_graphs
	@$(BIN)/python -m tools.model_inputs
	@$(BIN)/python -m tools.path_inputs
	@$(BIN)/python -m tools.node_tables
	@tools/ensure-chromium.sh
	@$(BIN)/python -m tools.editor_oracle

words: setup-dev  ## write the template of the message catalogue, for translators
	@$(BIN)/python -m tools.messages

lock:  ## update the lock files and the Space's requirements from pyproject.toml
	@tools/lock.sh

space: setup-dev  ## start the Space as Hugging Face does, and render a clip in a browser (needs Python 3.12)
	@tools/ensure-chromium.sh
	@$(BIN)/python -m tools.try_space

package: setup-dev  ## build the wheel, and set up, render and serve with it in an empty environment
	@tools/try-package.sh

clean:  ## remove the environment, the demo clips and caches
	rm -rf .venv outputs/demo .mypy_cache .pytest_cache .ruff_cache
