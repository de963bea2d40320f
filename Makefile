# `make` prints what there is. Every target calls a command that works without make, too.
SHELL := /bin/sh
.DELETE_ON_ERROR:
MAKEFLAGS += --warn-undefined-variables --no-builtin-rules
.DEFAULT_GOAL := help

PORT ?= 3000
HOST ?= 127.0.0.1
MODELS ?=
OUT ?= out
DATA_DIR ?=
QUICK ?=
ARGS ?=

serve_python = "$$(requirements/environment serve)/bin/python"
dev_python = "$$(requirements/environment dev)/bin/python"
train_python = "$$(requirements/environment train)/bin/python"

.PHONY: help
help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: serve
serve: ## Serve both models on http://localhost:3000 in the foreground (PORT=, HOST=, MODELS=)
	@$(serve_python) -m bento.serve --examples --port $(PORT) --host $(HOST) --models "$(MODELS)"

.PHONY: test
test: lint verify ## Every check that needs no cluster: lint, generated files, all tests
	@$(dev_python) -m pytest -n auto --dist worksteal tests/unit tests/repo $(ARGS)
	@tests/service/install_chromium
	@$(dev_python) -m pytest tests/service $(ARGS)

.PHONY: lint
lint: ## ruff and mypy, strict
	@$(dev_python) -m ruff check .
	@$(dev_python) -m ruff format --check .
	@$(dev_python) -m mypy nlpserve bento benchmarks

.PHONY: format
format: ## Format the code
	@$(dev_python) -m ruff format .
	@$(dev_python) -m ruff check --fix .

.PHONY: settings
settings: ## List the service's settings
	@$(serve_python) -m bento.settings_table

.PHONY: generate
generate: ## Write every generated file again
	@$(serve_python) -m bento.settings_table --markdown docs/settings.md

.PHONY: verify
verify: ## Fail when a generated file is not what its source says
	@$(serve_python) -m bento.settings_table --markdown docs/settings.md --check

.PHONY: lock
lock: ## Write requirements/*.txt from pyproject.toml
	@PATH="$$(requirements/environment dev)/bin:$$PATH" requirements/lock

.PHONY: data
data: ## Download the public training data into data/ (DATA_DIR= checks a local copy instead)
	@$(serve_python) -m bento.train data $(if $(DATA_DIR),--data-dir "$(DATA_DIR)")

.PHONY: train
train: ## Data to artifacts, unchanged steps skipped (MODELS=intent or emotion for one)
	@$(train_python) -m bento.train run $(or $(MODELS),all)

.PHONY: test-train
test-train: ## The training environment's tests: packaging BERT, RoBERTa and spaCy models
	@$(train_python) -m pytest -o filterwarnings=default tests/train_env tests/unit/train $(ARGS)

.PHONY: baselines
baselines: ## Train the intent model's baselines and compare, into OUT/
	@$(train_python) -m bento.train baselines --out "$(OUT)"

.PHONY: data-report
data-report: ## Analysis of the training data with plots, into OUT/
	@$(train_python) -m bento.train data-report --out "$(OUT)"

.PHONY: eval-report
eval-report: ## Evaluation of the shipped models with plots, into OUT/
	@$(train_python) -m bento.train eval-report --out "$(OUT)"

.PHONY: bench-serving
bench-serving: ## HTTP against the raw model on one core, into OUT/ (QUICK=1)
	@$(dev_python) -m benchmarks.serving --out "$(OUT)" $(if $(QUICK),--quick)

.PHONY: bento
bento: ## Build the Bento: the same service as an archive of BentoML's
	@PATH="$$(requirements/environment dev)/bin:$$PATH" BENTOML_DO_NOT_TRACK=True bentoml build . -f bento/bentofile.yaml

.PHONY: ci
ci: ## What the pipeline runs
	@.ci/run

.PHONY: clean
clean: ## Remove what the other targets made, environments included
	rm -rf .venv build out .mypy_cache .ruff_cache .pytest_cache .hypothesis
