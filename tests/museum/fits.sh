#!/bin/sh
# Does each patch of the museum still fit the sources?
set -eu
cd "$1"
failed=0
count=0
for patch in tests/museum/*.patch; do
  count=$((count + 1))
  patch --dry-run -p1 -s -f -i "$patch" >/dev/null || { printf '%s\n' "$patch does not fit any more: make it anew"; failed=1; }
done
[ "$count" -ge 25 ] || { printf '%s\n' "only $count patches"; failed=1; }
exit "$failed"
