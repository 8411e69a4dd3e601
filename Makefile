# Every task a person needs; each recipe is a line they could type.
# `make rehearse` needs only Rust. `make demo` and `make test` need root, Rust and Go, and install
# whatever else they need.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
export CARGO_BUILD_JOBS ?= $(shell nproc)

LOCAL := target/image/floodgate-local
IMAGES := -p floodgate-operator -p payment-svc -p payment-load
TRACE ?=
REHEARSAL := manifests/samples/rehearsal

.PHONY: help rehearse demo down test lint bench up images preflight

help: ## List the tasks.
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:[^#]*## /\t/' | expand -t 12

rehearse: ## Rehearse two sales beside other autoscalers; needs no cluster and no root, only Rust; writes target/rehearsal.html.
	@sh manifests/local/preflight.sh rust
	@echo "rehearse: building the kubectl plugin"
	cargo build -p kubectl-floodgate
	@echo "rehearse: playing three weeks through each autoscaler, in virtual time"
	target/debug/kubectl-floodgate rehearse -f $(REHEARSAL)/cluster.yaml -f $(REHEARSAL)/sales.yaml --trace $(REHEARSAL)/load.csv --html target/rehearsal.html
	@echo "rehearse: the picture is file://$(CURDIR)/target/rehearsal.html"

demo: up images ## Run a compressed sale day on a real Kubernetes; writes target/sale-day/report.html. TRACE=file.csv replays a trace.
	$(LOCAL) sale-day $(if $(TRACE),--trace "$(TRACE)")

down: ## Stop the local cluster; leave no process, mount, link or rule behind.
	@if [ -x $(LOCAL) ]; then $(LOCAL) down; elif [ -d target/local ]; then cargo run --profile image -p floodgate-local -- down; else echo "down: no cluster was started here"; fi

test: ## Run everything CI checks: lints, pure crates, golden files, API tier, cluster tier.
	bash manifests/local/test.sh

lint: ## Check formatting, clippy with warnings as errors, imports, documentation.
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo test -q -p floodgate-checks --no-default-features --test imports
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items

bench: ## Measure what planning, rehearsing and forecasting cost, and the payment service's gate under a real CPU quota.
	cargo bench -p floodgate-planner --bench planner
	cargo bench -p payment-svc --bench overload
	cargo bench -p floodgate-forecast --bench forecast

preflight: ## Print in one line what this machine lacks to run pods.
	@sh manifests/local/preflight.sh

up: preflight ## Start a real Kubernetes with PostgreSQL, Redis, NATS and Prometheus on this machine.
	cargo build --profile image -p floodgate-local
	$(LOCAL) build-kubernetes --background
	cargo build --profile image $(IMAGES)
	$(LOCAL) up

images: up ## Load operator and payment service into the cluster's image store.
	$(LOCAL) load-image floodgate.dev/operator:dev target/image/floodgate-operator
	$(LOCAL) load-image floodgate.dev/payment-svc:dev target/image/payment-svc
