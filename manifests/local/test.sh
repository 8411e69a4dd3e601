#!/usr/bin/env bash
# Every tier of tests, cheap to dear; what this machine cannot run is said in one closing line.
set -euo pipefail
cd "$(dirname "$0")/../.."
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never}
export CARGO_BUILD_JOBS=${CARGO_BUILD_JOBS:-$(nproc)}
local_bin=target/image/floodgate-local
not_run=()
started=$SECONDS

step() {
    printf '\n== %s (%d s) ==\n' "$1" "$((SECONDS - started))"
}

step "preflight"
sh manifests/local/preflight.sh

step "floodgate-local, and the Kubernetes build beside what follows"
cargo build --profile image -p floodgate-local
"$local_bin" build-kubernetes --background

step "formatting and lints"
cargo fmt --all --check
cargo clippy --workspace --all-targets --all-features -- -D warnings
cargo test -q -p floodgate-checks --no-default-features --test imports
if cargo deny --version >/dev/null 2>&1; then
    cargo deny check bans licenses sources
else
    not_run+=("cargo deny (not installed)")
fi

step "packages and servers the tests start"
"$local_bin" prepare

step "pure rooms, golden files, service on real PostgreSQL, Redis and NATS, API tier"
cargo test --workspace

step "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

step "images and cluster"
cargo build --profile image -p floodgate-operator -p payment-svc -p payment-load
trap '"$local_bin" down' EXIT
"$local_bin" up
"$local_bin" load-image floodgate.dev/operator:dev target/image/floodgate-operator
"$local_bin" load-image floodgate.dev/payment-svc:dev target/image/payment-svc

step "cluster tier"
cargo build -p kubectl-floodgate
cargo test -p floodgate-local --features cluster-tier --test cluster -- --test-threads=1 --nocapture
trap - EXIT
"$local_bin" down

step "done"
if [ ${#not_run[@]} -eq 0 ]; then
    echo "not run on this machine: nothing"
else
    (IFS=';'; echo "not run on this machine: ${not_run[*]}")
fi
