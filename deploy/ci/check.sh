#!/usr/bin/env bash
# What `action.yml` runs: the check, with annotations to the log and a file for code scanning. Its exit code is that of the check.
set -euo pipefail

lines() { printf '%s\n' "$1" | sed -e 's/^[[:space:]]*//' -e 's/[[:space:]]*$//' -e '/^$/d'; }

program=${VARDBRO_BINARY:-}
if [ -z "$program" ]; then
    root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
    cargo build --release --locked --quiet --manifest-path "$root/Cargo.toml" --target-dir "$root/target"
    program=$root/target/release/vardbro
fi

mapfile -t paths < <(lines "${VARDBRO_PATHS:-fixtures}")
mapfile -t arguments < <(lines "${VARDBRO_ARGUMENTS:-}")
sarif=${VARDBRO_SARIF:-vardbro.sarif}

code=0
"$program" check --lang "${VARDBRO_LANGUAGE:-en}" --format github --output "sarif=$sarif" "${arguments[@]}" -- "${paths[@]}" || code=$?
if [ -s "$sarif" ] && [ -n "${GITHUB_OUTPUT:-}" ]; then
    printf 'sarif=%s\n' "$sarif" >>"$GITHUB_OUTPUT"
fi
exit "$code"
