# Everything a contributor or the continuous integration runs. `make help` lists the targets.

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

MODULE   := github.com/fairlead-cd/fairlead
LDFLAGS  := -X $(MODULE)/internal/cli.Version=$(VERSION)
LINT     := $(GO) tool -modfile=tools/lint/go.mod golangci-lint

# The development cluster is a Go module of its own, since it compiles Kubernetes itself.
DEVCLUSTER_DIR     := test/cluster/devcluster
DEVCLUSTER_SOURCES := $(shell find $(DEVCLUSTER_DIR) -type f \( -name '*.go' -o -name 'go.*' -o -name '*.yaml' \) 2>/dev/null)
KUBERNETES         := v1.36.3
# Clients refuse a server that does not say its version.
DEVCLUSTER_LDFLAGS := -s -w $(foreach part,gitMajor=1 gitMinor=36 gitVersion=$(KUBERNETES) gitCommit=devcluster gitTreeState=clean,-X k8s.io/component-base/version.$(part))

.DEFAULT_GOAL := help
.PHONY: help setup build release devcluster demo test test-unit test-e2e test-race bench lint fmt generate verify clean FORCE

help: ## List the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z][a-z0-9-]*:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what a fresh machine lacks (git, ssh, and what tests run: redis-server, docker-registry), or say what
	@.ci/setup

build: bin/fairlead ## Build bin/fairlead

bin/fairlead: FORCE
	$(GO) build -ldflags '$(LDFLAGS)' -o $@ ./cmd/fairlead

release: ## Build bin/fairlead as it is shipped: static, stripped, without paths of this machine
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w $(LDFLAGS)' -o bin/fairlead ./cmd/fairlead

devcluster: bin/devcluster ## Build bin/devcluster, a complete control plane in one program

bin/devcluster: $(DEVCLUSTER_SOURCES)
	cd $(DEVCLUSTER_DIR) && $(GO) build -ldflags '$(DEVCLUSTER_LDFLAGS)' -o $(CURDIR)/$@ .

demo: setup build devcluster ## Run Fairlead on a development cluster (CLUSTER=mine: on that of KUBECONFIG; ARGS=--help)
	@$(GO) build -o bin/demo ./test/demo
	@exec bin/demo $(if $(filter mine,$(CLUSTER)),--cluster=mine) $(ARGS)

test: build devcluster ## Run the unit tests, then the end-to-end tests, and print a summary
	@.ci/test unit e2e

test-unit: devcluster ## Run the unit tests alone
	@.ci/test unit

test-e2e: build devcluster ## Run the end-to-end tests alone
	@.ci/test e2e

test-race: build devcluster ## Run all tests with the race detector
	@.ci/test -race unit e2e

bench: build devcluster ## Run the benchmarks: memory of live state, rendering, a whole cluster (ARGS=-only=rendering, cluster, live or sync: one of the latter)
	$(GO) test -run '^$$' -bench Memory -benchtime 1x ./internal/cluster
	$(GO) run ./test/bench $(ARGS)

lint: ## Check format, style and the architecture's import rules
	@.ci/lint

fmt: ## Format the Go code the way `make lint` wants it
	$(LINT) fmt ./...

generate: ## Write generated code and CRDs anew from the types in api/
	api/generate.sh

verify: ## Check that generated code and module files are current
	@.ci/verify

clean: ## Remove what was built and the state of the demo
	rm -rf bin .demo

FORCE:
