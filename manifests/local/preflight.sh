#!/bin/sh
# Says in one line what this machine lacks to run pods, before anything is built; with `rust` what it
# lacks to build and run one of the programs. Exit 0: nothing. Exit 1: the line says what to install.
set -u
: "${HOME:=/root}"; export HOME
dir=$(cd "$(dirname "$0")/../.." && pwd)

purpose="run the cluster"
[ "${1:-}" = rust ] && purpose="build a Rust program"

fail() {
    echo "preflight: this machine cannot $purpose: $1" >&2
    exit 1
}

at_least() {
    [ "$(printf '%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

rust() {
    command -v cc >/dev/null 2>&1 || fail "no cc, which Rust links with; apt-get install build-essential"
    command -v cargo >/dev/null 2>&1 || fail "no cargo; install Rust 1.95 or newer (https://rustup.rs)"
    cargo=$(cd "$dir" && cargo --version 2>/dev/null | sed -n 's/^cargo \([0-9][0-9.]*\).*/\1/p')
    at_least 1.95 "$cargo" || fail "cargo is ${cargo:-of no known version}; install Rust 1.95 or newer"
}

if [ "${1:-}" = rust ]; then
    rust
    exit 0
fi
[ "$(uname -s)" = Linux ] || fail "it runs $(uname -s); must be Linux"
[ "$(id -u)" = 0 ] || fail "uid is $(id -u); must be root (namespaces, mounts and a bridge are made)"
grep -qw overlay /proc/filesystems || modprobe overlay 2>/dev/null || fail "no overlay file system in the kernel"
grep -q cgroup /proc/filesystems && [ -d /sys/fs/cgroup ] || fail "no cgroup file system at /sys/fs/cgroup"
command -v apt-get >/dev/null 2>&1 || fail "no apt-get; must be a Debian machine"
rust
command -v go >/dev/null 2>&1 || fail "no go; install Go 1.24 or newer"
go=$(go version 2>/dev/null | sed -n 's/.*go\([0-9][0-9.]*\).*/\1/p')
at_least 1.24 "$go" || fail "go is ${go:-of no known version}; install Go 1.24 or newer"
if command -v ip >/dev/null 2>&1 && ! ip link show fg0 >/dev/null 2>&1; then
    ip link del fgpre0 2>/dev/null # left behind by a run that was broken off
    ip link add fgpre0 type bridge 2>/dev/null || fail "no bridge devices; must be allowed to create one (CAP_NET_ADMIN, bridge module)"
    ip link del fgpre0
fi
free_mib=$(df -Pm "$dir" | awk 'NR==2 {print $4}')
need_mib=12000
[ -x "$dir/target/local/bin/kubernetes" ] && need_mib=4000 # built already: the largest part
[ "$free_mib" -ge "$need_mib" ] || fail "${free_mib} MiB of disk free below $dir; must be at least $need_mib"
memory_mib=$(awk '/MemTotal/ {print int($2/1024)}' /proc/meminfo)
[ "$memory_mib" -ge 7000 ] || fail "${memory_mib} MiB of memory; must be at least 7000"
