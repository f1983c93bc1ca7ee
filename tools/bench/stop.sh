#!/bin/sh
# How long after the first Ctrl-C the bulk destroy is sent, in the sandbox on loopback: the journal tells when the request
# was answered and how long that took.
#   tools/bench/stop.sh [failover] [rounds]
set -eu

failover=${1:-build/failover}
rounds=${2:-10}
place=$(mktemp -d "${TMPDIR:-/tmp}/failover-stop-XXXXXX")
door=
run=
finish() {
  [ -z "$run" ] || kill -9 "$run" 2>/dev/null || true
  [ -z "$door" ] || kill "$door" 2>/dev/null || true
  wait
  rm -rf "$place"
}
trap finish EXIT INT TERM
export FAILOVER_HOME="$place/home"

"$failover" sandbox --env-file "$place/env" >"$place/door.log" 2>&1 &
door=$!
while [ ! -s "$place/env" ]; do
  kill -0 "$door"
  sleep 0.1
done
# shellcheck source=/dev/null
. "$place/env"

round=0
while [ "$round" -lt "$rounds" ]; do
  round=$((round + 1))
  rm -rf "$FAILOVER_HOME"
  [ "$round" -eq 1 ] || sleep 6  # two rentals within 4.5 s are too many for the service
  "$failover" run realtime-sync --live --yes --no-reaper --output plain >"$place/run.log" 2>&1 &
  run=$!
  until grep -q 'step source_ready (' "$place/run.log"; do
    kill -0 "$run"
    sleep 0.05
  done
  begin=$(date +%s%N)
  kill -INT "$run"
  wait "$run" || true
  run=
  line=$(grep -h '"method":"DELETE"' "$FAILOVER_HOME"/runs/*/journal.jsonl | grep '"target":"/api/v0/instances/"' | head -n 1)
  answered=$(date -d "$(printf '%s' "$line" | sed 's/.*"at":"\([^"]*\)".*/\1/')" +%s%N)
  took=$(printf '%s' "$line" | sed 's/.*"took_s":\([0-9.e-]*\).*/\1/')
  awk -v b="$begin" -v a="$answered" -v t="$took" 'BEGIN { printf "%.1f\n", (a - b) / 1e6 - t * 1e3 }' | tee -a "$place/figures"
done
sort -n "$place/figures" | awk '{ v[NR] = $1 } END { printf "ms from the signal to the bulk destroy: median %s, worst %s, %d rounds\n", v[int((NR + 1) / 2)], v[NR], NR }'
