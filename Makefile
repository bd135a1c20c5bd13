# Alchemiser: `make` lists the targets. Each one sets up what it needs.
SHELL := bash
.DEFAULT_GOAL := help
BIN := .venv/bin
IMAGES := PYTHONPATH=tools $(BIN)/python -m images
LOCAL := PYTHONPATH=tools $(BIN)/python -m local
COMPOSE = TAG=$$($(IMAGES) tag) docker compose
# A variable that a target cannot do without.
need = $(if $($(1)),$($(1)),$(error give $(1)=..., e.g. make $(MAKECMDGOALS) $(1)=$(if $(filter STAGE,$(1)),dev,strategy)))

##@ Start

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^##@ / {printf "%s%s\n", (count++ ? "\n" : ""), substr($$0, 5)} \
		/^[a-z0-9-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## Make the environment (.venv) from the pinned locks
	@tools/setup.sh

.PHONY: demo
demo: setup ## Run one trading cycle and the next 60 sessions on a simulated exchange; ends in a table and a page
	@$(BIN)/alchemiser demo

##@ Develop

.PHONY: check
check: lint types test ## What CI runs: lint, types, import rules, tests

.PHONY: test
test: setup ## Run the tests
	@tools/sam.sh python -c '' # tests translate the template: what its environment lacks is better said once, and first
	@$(BIN)/pytest -n $$(($$(nproc 2>/dev/null || echo 2) + 1)) --dist worksteal # one more than there are processors: many tests wait

.PHONY: lint
lint: setup ## Check format, style, import rules and that imports are declared
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports
	@tools/declared.sh

.PHONY: types
types: setup ## Check the types (mypy --strict)
	@$(BIN)/mypy

.PHONY: format
format: setup ## Format the code and mend what can be mended
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: prove
prove: setup ## Explore crashes and faults of trading, hold profit to the cent, trade a portfolio for a year (over an hour; JSON=FILE SEEDS=5000)
	@$(if $(JSON),PROVE_JSON=$(abspath $(JSON))) $(BIN)/pytest -q -s --timeout 7200 tests/prove/trading tests/integration/trading tests/prove/portfolio

.PHONY: mutants
mutants: setup ## Change the trading core in small ways and list what its tests do not notice (MODULE=plan for one)
	@tools/mutants.sh $(if $(JSON),--json $(JSON)) $(MODULE)

.PHONY: bench
bench: setup ## Measure speed and memory beside their aims (JSON=FILE writes them too)
	@tools/bench.sh $(if $(JSON),--json $(JSON))

.PHONY: oracles
oracles: setup ## Hold the statistics against the libraries that others maintain (an environment of their own, made once)
	@tools/oracles.sh

.PHONY: docs
docs: setup ## Build the documentation as a site in build/site, every link checked
	@tools/site.sh

.PHONY: lock
lock: setup ## Resolve the lock files again, list neglected dependencies [SERVICE=name for one] [UPGRADE=1: newest versions]
	@tools/lock.sh $(if $(UPGRADE),--upgrade) $(SERVICE)

.PHONY: golden
golden: setup ## Write the golden files of this SCHEMA_VERSION again (copy the old ones first: CONTRIBUTING.md)
	@PYTHONPATH=tests $(BIN)/python -m support.write_golden

.PHONY: cases
cases: setup ## Capture tests/fixtures/cases again, from cycles on the bundled market [CASES="holiday halted"]
	@PYTHONPATH=tests $(BIN)/python -m support.write_cases $(CASES)

.PHONY: events
events: setup ## Write deploy/events again, from the captured case as-shipped
	@$(IMAGES) events

##@ Images

.PHONY: strategies
strategies: setup ## Read your own strategies as a build does, and name every fault [STRATEGIES=folder]
	@$(IMAGES) strategies

.PHONY: build
build: setup ## Build the four services' images with your strategies in them (tag: make image-tag; needs Docker)
	@$(IMAGES) build $(if $(TAG),--tag $(TAG))

.PHONY: build-service
build-service: setup ## Build one service's image: SERVICE=strategy [TAG=...] [STRATEGIES=folder] [PLATFORM=linux/arm64]
	@$(IMAGES) build $(call need,SERVICE) $(if $(TAG),--tag $(TAG))

.PHONY: invoke
invoke: setup ## Send an image one event under the emulator: SERVICE=strategy EVENT=deploy/events/version.json [ENV_FILE=...]
	@$(IMAGES) invoke $(call need,SERVICE) $(or $(EVENT),deploy/events/version.json) \
		$(if $(TAG),--tag $(TAG)) $(if $(ENV_FILE),--env-file $(ENV_FILE))

.PHONY: push-service
push-service: setup ## Push an image to IMAGE_REGISTRY, its tag for good: SERVICE=strategy [TAG=...]
	@$(IMAGES) push $(call need,SERVICE) $(if $(TAG),--tag $(TAG))

.PHONY: sbom
sbom: setup ## Write what the services' locks pin as CycloneDX below dist/sbom [SERVICE=...]
	@$(IMAGES) sbom $(SERVICE) $(if $(TAG),--tag $(TAG))

.PHONY: image-report
image-report: build ## Weigh the images [JSON=FILE]
	@$(IMAGES) report $(if $(JSON),--json $(JSON))

.PHONY: bench-cold
bench-cold: build ## Time the images' cold starts (half an hour) [RUNS=10] [SIZES="512 1769"] [JSON=FILE]
	@$(IMAGES) cold $(if $(RUNS),--runs $(RUNS)) $(if $(SIZES),--sizes $(SIZES)) $(if $(JSON),--json $(JSON))

.PHONY: bench-cycles
bench-cycles: build ## Time whole cycles through the containers, beside the monolith (over half an hour; Ctrl-C shows what it has) [WARM=200] [COLD=20] [JSON=FILE]
	@PYTHONPATH=tests:tools $(BIN)/python -m benchmarks.bench_cycles $(if $(WARM),--warm $(WARM)) \
		$(if $(COLD),--cold $(COLD)) $(if $(JSON),--json $(JSON))

.PHONY: image-tag
image-tag: setup ## Print the tag that this tree's images get
	@$(IMAGES) tag

##@ Local stage

.PHONY: up
up: build ## Start the functions with a local AWS and exchange; first use makes table, queues and all (SPEED=20 PHASE=shadow)
	@PYTHONPATH=tools $(BIN)/python -m images.stand_ins
	@$(if $(PHASE),mkdir -p .alchemiser && $(LOCAL) override --phase $(PHASE) >.alchemiser/compose.phase.yaml)
	@SPEED=$(or $(SPEED),20) $(COMPOSE) $(if $(PHASE),--file compose.yaml --file .alchemiser/compose.phase.yaml) \
		up --detach --wait --quiet-pull --remove-orphans
	@$(LOCAL) provision --speed $(or $(SPEED),20) $(if $(PHASE),--phase $(PHASE))

.PHONY: cycle
cycle: setup ## Run the next cycle that the phase schedules through the containers and show what happened
	@$(LOCAL) cycle

.PHONY: logs
logs: setup ## Print what the containers say, in order of time; of one run with RUN_ID=...
	@$(COMPOSE) logs --timestamps --no-log-prefix --no-color 2>&1 | grep -F -- "$(RUN_ID)" | sort | cut -d ' ' -f 2-

.PHONY: down
down: setup ## Stop the containers and forget the exchange's books
	@$(COMPOSE) down --volumes --remove-orphans

.PHONY: e2e
e2e: setup ## Kill containers, cut networks and slow the broker mid-cycle; ends in counts (some minutes, needs Docker)
	@$(BIN)/pytest -q -s --timeout 900 tests/e2e/containers/cycles

.PHONY: cutover-drill
cutover-drill: build ## Play the whole migration in containers: shadow, gate, cutover, a fault, back, forward again [CYCLES=6] [PAGE=FILE] [BREAK=gate]
	@PYTHONPATH=tests:tools $(BIN)/python -m drill $(if $(CYCLES),--cycles $(CYCLES)) $(if $(PAGE),--page $(PAGE)) \
		$(if $(BREAK),--break $(BREAK))

##@ AWS

.PHONY: deploy
deploy: setup ## Deploy a stage: STAGE=dev [PHASE=shadow] [SERVICE=strategy] [TAG=...] [PLAN=1] [YES=1]
	@$(BIN)/alchemiser deploy $(call need,STAGE) $(if $(PHASE),--phase $(PHASE)) \
		$(if $(SERVICE),--service $(SERVICE)) $(if $(TAG),--tag $(TAG)) $(if $(PLAN),--plan) $(if $(YES),--yes)

.PHONY: rollback
rollback: setup ## Put an earlier build of a service live again: STAGE=dev SERVICE=strategy [TAG=...] [YES=1]
	@$(BIN)/alchemiser rollback $(call need,STAGE) $(call need,SERVICE) $(if $(TAG),--tag $(TAG)) $(if $(YES),--yes)

.PHONY: doctor
doctor: setup ## Examine a stage's account and deployment: STAGE=dev
	@$(BIN)/alchemiser doctor --stage $(call need,STAGE)

.PHONY: prove-aws
prove-aws: setup ## Prove the deployment without an account: SAM's lint, every phase in moto, each role against real calls
	@tools/sam.sh validate --lint --template-file deploy/template.yaml --region us-east-1 | tail -1
	@$(BIN)/cfn-lint --regions us-east-1 -- deploy/registry.yaml
	@$(BIN)/pytest -q --timeout 1800 tests/prove/aws tests/unit/deploy

.PHONY: iam-review
iam-review: setup ## Compare what each role may do with what it does: recorded anew, or CLOUDTRAIL=export.json [PHASE=cutover]
	@$(if $(CLOUDTRAIL),,ALCHEMISER_AWS_CALLS=.alchemiser/aws-calls.json $(BIN)/pytest -q tests/integration/aws/test_permissions.py)
	@PYTHONPATH=tools $(BIN)/python -m deploy iam-review $(if $(CLOUDTRAIL),--cloudtrail $(CLOUDTRAIL)) $(if $(PHASE),--phase $(PHASE))
