#!/usr/bin/env bash
# What action.yml runs: lints, annotates the lines, writes a summary of the job, and a SARIF file where one is asked for.
set -uo pipefail

# Words, and no globs: iptables-lint expands these itself.
set -f
# shellcheck disable=SC2206
files=(${INPUT_FILES:-.})
# shellcheck disable=SC2206
words=(${INPUT_ARGS:-})
[ -z "${INPUT_FAIL_ON:-}" ] || words+=(--fail-on "$INPUT_FAIL_ON")
[ -z "${INPUT_SARIF:-}" ] || words+=(--format "sarif=$INPUT_SARIF")
[ -z "${GITHUB_STEP_SUMMARY:-}" ] || { summary=$(mktemp); words+=(--format "markdown=$summary"); }

if [ -n "${INPUT_VERSION:-}" ]; then
  lint=(npx --yes "iptables-lint@$INPUT_VERSION")
else
  if [ ! -f "$ACTION_PATH/dist/cli.cjs" ]; then (cd "$ACTION_PATH" && npm ci --no-audit --no-fund >&2) || exit 2; fi
  lint=(node "$ACTION_PATH/dist/cli.cjs")
fi

"${lint[@]}" --format github "${words[@]}" -- "${files[@]}"
code=$?
[ -z "${summary:-}" ] || { cat "$summary" >>"$GITHUB_STEP_SUMMARY"; rm -f "$summary"; }
[ -z "${GITHUB_OUTPUT:-}" ] || echo "exit-code=$code" >>"$GITHUB_OUTPUT"
exit "$code"
