#!/usr/bin/env bash
# Runs the gate and leaves its reports behind; the action's last step answers with its result, after everything was uploaded.
set -euo pipefail

mkdir -p "$REPORTS"
since="${CHANGED_SINCE:-}"
if [ -z "$since" ] && [ -n "${GITHUB_BASE_REF:-}" ]; then
  since="origin/$GITHUB_BASE_REF"
fi
arguments=()
[ -z "${PROFILE:-}" ] || arguments+=(--profile "$PROFILE")
[ -z "${BASELINE:-}" ] || arguments+=(--baseline "$BASELINE")
[ -z "$since" ] || arguments+=(--changed-since "$since")
if [ -n "${ADVISORIES:-}" ]; then
  arguments+=(--advisories "$ADVISORIES")
else
  store="$CACHE/advisories.sqlite3"
  mkdir -p "$CACHE"
  "$AUDITOR" advisories update --store "$store" || echo "::warning title=auditor::known vulnerabilities could not be fetched"
  [ ! -f "$store" ] || arguments+=(--advisories "$store")
fi

code=0
"$AUDITOR" gate "${GATE_PATH:-.}" "${arguments[@]}" --cache-dir "$CACHE" --annotations --progress \
  --html "$REPORTS/auditor.html" --json "$REPORTS/auditor.json" --sarif "$REPORTS/auditor.sarif" --junit "$REPORTS/auditor-junit.xml" \
  --csv "$REPORTS/auditor-register.csv" --markdown "$REPORTS/auditor-comment.md" --summary "$REPORTS/auditor-summary.md" \
  | tee "$REPORTS/auditor.txt" || code=${PIPESTATUS[0]}

case "$code" in
  0) result="passed" ;;
  1) result="failed" ;;
  3) result="cannot say" ;;
  *) result="error" ;;
esac
[ ! -f "$REPORTS/auditor-summary.md" ] || cat "$REPORTS/auditor-summary.md" >> "${GITHUB_STEP_SUMMARY:-/dev/null}"
{
  echo "result=$result"
  echo "sentence=$(grep -m1 '^Gate ' "$REPORTS/auditor.txt" || echo "The gate ended with exit code $code: see the log")"
  echo "reports=$REPORTS"
  [ ! -f "$REPORTS/auditor.sarif" ] || echo "sarif=$REPORTS/auditor.sarif"
  [ ! -f "$REPORTS/auditor-comment.md" ] || echo "comment=$REPORTS/auditor-comment.md"
} >> "${GITHUB_OUTPUT:-/dev/stdout}"
