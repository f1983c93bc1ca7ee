#!/bin/sh
# A scenario that does not pass where nothing goes wrong is no scenario to judge by: it is an error, unless that is said.
#   tests/simulate/calm.sh FAILOVER
set -eu
program=$1
folder=$(mktemp -d "${TMPDIR:-/tmp}/failover-calm.XXXXXX")
trap 'rm -rf "$folder"' EXIT
wrong() { printf '%s\n' "calm.sh: $1" >&2; exit 1; }

cat >"$folder/lacks.yaml" <<'END'
name: lacks
limits: { cost: $0.20, duration: 15m }
steps:
  - { id: offer, uses: vast.search_offers, with: { gpu_name: RTX 4090, max_price: $0.50 } }
  - { id: machine, uses: vast.create_instance, with: { offer: "${{ steps.offer.best.id }}", image: "vastai/base-image:@vastai-automatic-tag", disk: 10 GB } }
  - { id: ready, uses: vast.wait_until_ready, with: { instance: "${{ steps.machine.id }}" } }
  - { uses: ssh.exec, with: { host: "${{ steps.ready.ssh }}", command: [a-program-that-no-machine-has] } }
END
code=0
said=$("$program" simulate "$folder/lacks.yaml" --seeds 3 --jobs 1 2>&1) || code=$?
[ "$code" -eq 1 ] || wrong "it ended $code, and not 1: $said"
case $said in
  *"does not pass where nothing goes wrong: "*--may-fail*) ;;
  *) wrong "it does not say why: $said" ;;
esac
said=$("$program" simulate "$folder/lacks.yaml" --seeds 3 --jobs 1 --may-fail 2>&1) || wrong "it ended $? with --may-fail: $said"
case $said in
  *"3 journeys, 0 passed, "*) ;;
  *) wrong "it was not played: $said" ;;
esac
sed 's/a-program-that-no-machine-has/"true"/; s/^name: lacks/name: has/' "$folder/lacks.yaml" >"$folder/has.yaml"
said=$("$program" simulate "$folder/has.yaml" --seeds 3 --jobs 1 2>&1) || wrong "what passes ended $?: $said"
