# `make` prints what there is. Every target calls a command that works without make, too.
SHELL := /bin/sh
.DELETE_ON_ERROR:
MAKEFLAGS += --warn-undefined-variables --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help

PORT ?= 3000
HOST ?= 127.0.0.1
MODELS ?=
OUT ?= out
DATA_DIR ?=
ARCHIVE ?=
ARTIFACT ?=
BASE ?=
ENGINE ?=
FRESH ?=
QUICK ?=
ARGS ?=
NODES ?= 1
ADDONS ?= metrics-server keda prometheus
PROVIDER ?=
PART ?=
SUITE ?=
IMAGE ?=
LOAD_IMAGE ?=
PROMETHEUS ?= http://localhost:9090
VALUES ?=

serve_python = "$$(requirements/environment serve)/bin/python"
dev_python = "$$(requirements/environment dev)/bin/python"
loadtest_python = "$$(requirements/environment loadtest)/bin/python"
train_python = "$$(requirements/environment train)/bin/python"
dashboards_python = "$$(requirements/environment dashboards)/bin/python"
# Archives, where no variable names an image that the cluster can pull.
image_archive = "$(if $(IMAGE),,$$($(MAKE) --silent --no-print-directory image))"
load_archive = "$(if $(LOAD_IMAGE),,$$($(MAKE) --silent --no-print-directory load-image))"

.PHONY: help
help: ## Print this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: serve
serve: ## Serve both models on http://localhost:3000 in the foreground (PORT=, HOST=, MODELS=)
	@$(serve_python) -m bento.serve --examples --port $(PORT) --host $(HOST) --models "$(MODELS)"

.PHONY: test
test: lint verify ## Every check that needs no cluster: lint, generated files, all tests
	@$(dev_python) -m pytest -n auto --dist worksteal tests/unit tests/repo tests/chart $(ARGS)
	@tests/service/install_chromium
	@$(dev_python) -m pytest tests/service $(ARGS)

.PHONY: test-rules
test-rules: ## Alert rules against their promtool tests, and against the runbooks
	@$(dev_python) -m pytest tests/repo/test_monitoring.py $(ARGS)

.PHONY: dashboards-preview
dashboards-preview: ## Draw each dashboard from PROMETHEUS=URL, into OUT/ (ARGS=--minutes 15)
	@$(dashboards_python) -m monitoring.dashboards.preview --url "$(PROMETHEUS)" --out "$(OUT)" $(ARGS)

.PHONY: lint
lint: ## ruff and mypy, strict
	@$(dev_python) -m ruff check .
	@$(dev_python) -m ruff format --check .
	@$(dev_python) -m mypy nlpserve bento loadtest benchmarks k8s monitoring

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
	@$(serve_python) -m loadtest.zero_loss page docs/zero-loss.md docs/results/zero-loss.json
	@$(dev_python) -m loadtest.schema_files
	@$(dev_python) -m loadtest.autoscale_page docs/autoscaling.md docs/results/autoscale
	@$(dev_python) -m loadtest.proven_loads page docs/load-testing.md docs/results/loadtest
	@$(dev_python) -m benchmarks.page
	@$(dev_python) -m k8s.chart_values
	@$(dev_python) -m k8s.alert_rules
	@$(dashboards_python) -m monitoring.dashboards

.PHONY: verify
verify: ## Fail when a generated file is not what its source says
	@$(serve_python) -m bento.settings_table --markdown docs/settings.md --check
	@$(serve_python) -m loadtest.zero_loss page docs/zero-loss.md docs/results/zero-loss.json --check
	@$(dev_python) -m loadtest.schema_files --check
	@$(dev_python) -m loadtest.autoscale_page docs/autoscaling.md docs/results/autoscale --check
	@$(dev_python) -m loadtest.proven_loads page docs/load-testing.md docs/results/loadtest --check
	@$(dev_python) -m benchmarks.page --check
	@$(dev_python) -m k8s.chart_values --check
	@$(dev_python) -m k8s.alert_rules --check
	@$(dashboards_python) -m monitoring.dashboards --check

.PHONY: lock
lock: ## Write requirements/*.txt from pyproject.toml
	@PATH="$$(requirements/environment dev)/bin:$$PATH" requirements/lock

.PHONY: cluster
cluster: ## A real Kubernetes on this machine, built where needed (NODES=, ADDONS=, PROVIDER=kind)
	@python3 -m k8s.local up --nodes "$(NODES)" --addons "$(ADDONS)" --provider "$(PROVIDER)"

.PHONY: cluster-down
cluster-down: ## Remove that Kubernetes and everything it made (PROVIDER=kind)
	@python3 -m k8s.local down --provider "$(PROVIDER)"

.PHONY: cluster-status
cluster-status: ## What of it runs, versions, memory, last errors
	@python3 -m k8s.local status

.PHONY: addons
addons: ## metrics-server, KEDA and Prometheus on a cluster that is not the local one (ADDONS=)
	@python3 -m k8s.local addons --addons "$(ADDONS)"

.PHONY: deploy
deploy: ## Image and chart on whatever cluster KUBECONFIG names, else the local one (IMAGE=, VALUES=)
	@IMAGE="$(IMAGE)" k8s/deploy $(image_archive) $(if $(VALUES),--values "$(VALUES)")

.PHONY: demo
demo: ## Cluster, images, monitoring, chart, a load test and its verdict (IMAGE=, LOAD_IMAGE=)
	@IMAGE="$(IMAGE)" LOAD_IMAGE="$(LOAD_IMAGE)" k8s/demo up $(image_archive) $(load_archive) $(loadtest_python)

.PHONY: demo-down
demo-down: ## Remove what the demo made, and the cluster if it started one
	@k8s/demo down

.PHONY: e2e
suites = $(or $(SUITE),cluster chart rollout)
# Their tests run side by side, all suites in one go, so that none waits for another's last test.
side_by_side = $(filter cluster chart rollout autoscale,$(suites))
e2e: ## End-to-end tests on the cluster of KUBECONFIG, else the local one (SUITE=, IMAGE=, LOAD_IMAGE=)
	@set -e; suite() { $(dev_python) -m pytest --durations=8 "$$@" $(ARGS); }; none=5; \
	$(if $(side_by_side),suite -n4 --dist worksteal -m "not alone" $(side_by_side:%=tests/e2e/%) || \
		{ [ $$? -eq $$none -a -n "$(and $(ARGS),$(filter cluster,$(suites)))" ]; ran=nothing; };) \
	$(if $(filter cluster,$(suites)),suite -m alone tests/e2e/cluster || \
		[ $$? -eq $$none -a "$${ran:-}" != nothing ];) \
	for suite in $(filter-out $(side_by_side),$(suites)); do suite "tests/e2e/$$suite"; done

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

.PHONY: image
image: ## Build the image and print its archive (ARCHIVE=FILE, BASE=, ENGINE=, FRESH=1: updates)
	@$(serve_python) -m bento.image build --engine "$(ENGINE)" --base "$(BASE)" \
		$(if $(ARCHIVE),--archive "$(ARCHIVE)") $(if $(FRESH),--fresh)

.PHONY: model-image
model-image: ## An image of an artifact alone, for an image volume (ARTIFACT=DIR, ARCHIVE=FILE, ENGINE=)
	@$(serve_python) -m bento.image model --engine "$(ENGINE)" \
		$(if $(ARCHIVE),--archive "$(ARCHIVE)") "$(ARTIFACT)"

.PHONY: load-image
load-image: ## Build the load tests' image and print its archive (ARCHIVE=FILE, BASE=, ENGINE=, FRESH=1)
	@$(serve_python) -m bento.image load --engine "$(ENGINE)" --base "$(BASE)" \
		$(if $(ARCHIVE),--archive "$(ARCHIVE)") $(if $(FRESH),--fresh)

.PHONY: proof
proof: ## The full-count proofs, by hand, into docs/results/, an hour each (PART=zero-loss, loadtest, autoscale, capacity)
	@case "$(PART)" in zero-loss|loadtest|autoscale|capacity) ;; *) echo "PART= is one of: zero-loss, loadtest, autoscale, capacity" >&2; exit 2 ;; esac
	@IMAGE="$(IMAGE)" LOAD_IMAGE="$(LOAD_IMAGE)" k8s/loadtest/prove-$(PART) $(image_archive) $(load_archive) \
		$(loadtest_python)

.PHONY: test-image
test-image: ## Build the image and run it: read-only, both models, its bill of materials (BASE=, ENGINE=)
	@BASE="$(BASE)" ENGINE="$(ENGINE)" $(dev_python) -m pytest tests/image $(ARGS)

.PHONY: ci
ci: ## What the pipeline runs; with CI=true it first removes this machine's local cluster
	@.ci/run

.PHONY: clean
clean: ## Remove what the other targets made, environments included
	rm -rf .venv build out .mypy_cache .ruff_cache .pytest_cache .hypothesis
