#!/bin/sh
# Do two builds of the program play the same journeys, byte for byte?
#   tests/simulate/same.sh FAILOVER OTHER_FAILOVER [SEEDS]     from the project's root
set -eu
one=$1
other=$2
seeds=${3:-25}
[ "$one" != "$other" ] || { printf '%s\n' "same.sh: twice the same program proves nothing" >&2; exit 2; }
differs=0
journey() { # PROGRAM ARGUMENTS...: the digest of its journal and of all that happened
  program=$1
  shift
  "$program" simulate "$@" 2>&1 | sha256sum | cut -c 1-64
}
for scenario in "realtime-sync --input file_size=1KB" "tests/simulate/side-by-side.yaml" "tests/simulate/race.yaml"; do
  seed=1
  while [ "$seed" -le "$seeds" ]; do
    # shellcheck disable=SC2086 # a list of words
    mine=$(journey "$one" $scenario --replay "$seed")
    # shellcheck disable=SC2086
    theirs=$(journey "$other" $scenario --replay "$seed")
    [ "$mine" = "$theirs" ] || { printf '%s\n' "$scenario --replay $seed: $mine and $theirs"; differs=$((differs + 1)); }
    seed=$((seed + 1))
  done
  # shellcheck disable=SC2086
  "$one" simulate $scenario --replay 1 | grep -q '"type":"run_started"' || { printf '%s\n' "$scenario was not played"; exit 1; }
done
printf '%s\n' "$differs of $((3 * seeds)) journeys differ"
[ "$differs" -eq 0 ]
