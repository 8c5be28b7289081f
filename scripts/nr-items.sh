#!/usr/bin/env bash
# Writes docs/upstream-nr-items.md: list_lru_node.nr_items against the entries that
# were written back, on Debian's unmodified kernel.
#   scripts/nr-items.sh [BZIMAGE]
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/harness.sh
kernel=${1:-$("$harness" kernel fetch 2>/dev/null | tail -n 1)}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$harness" run --kernel "$kernel" --scenario sweep --jobs 1 --out "$folder/run" >/dev/null 2>&1
{
  cat <<'MARKDOWN'
# Upstream: list_lru_node.nr_items is decremented twice for an entry written back

Written by `scripts/nr-items.sh`, on an unmodified kernel. Every run on 6.12 shows it
as "known upstream", with this page's figures for that run; it is no finding against a kernel,
since zswap does not read that counter.

## The argument

`shrink_memcg_cb()` has written an entry back when `zswap_writeback_entry()` returns 0. On the way
that function calls `zswap_entry_free()`, whose `zswap_lru_del()` is

    list_lru_del():  list_del_init(item); l->nr_items--; nlru->nr_items--;

The callback then returns `LRU_REMOVED_RETRY`, for which the walk does

    __list_lru_walk_one():  isolated++; nlru->nr_items--;

The contract of `LRU_REMOVED*` is that the callback has taken the item off with
`list_lru_isolate()`, which decrements `l->nr_items` and leaves the node's count to the walk.
zswap takes it off with `list_lru_del()`, which decrements both. So `l->nr_items`, which
`list_lru_count_one()` and zswap's shrinker read, is right, and `nlru->nr_items` loses one for
each entry written back. `list_lru_count_node()` returns it as an `unsigned long`: nobody calls
that for zswap's LRU today; whoever did would see some 2^64 entries.

Returning `LRU_RETRY` after a writeback that succeeded would mend the count and lose the walk's
`isolated`, by which `shrink_memcg()` tells success from failure. Taking the entry off before it
is freed would mend both. Since 6.13 the count is per memcg and node (fb56fdf8b9a2); read the
code there before carrying this over.

## The evidence

One guest, the whole sweep. The node's count is read when every page has been given up, the
memcg is gone and swap is off, where every entry has left the list; next to it the entries that
had been written back until then: `writeback@done` and `shrinker@done` with the result 0.

MARKDOWN
  python3 - "$folder/run/result.json" <<'PYTHON'
import json
import sys

record = json.load(open(sys.argv[1], encoding="utf-8"))
print(f"Kernel {record['kernel']['release']}, {len(record['guests'])} guest, "
      f"verdict {record['status']}.\n")
print("| after trial | its schedule | nr_items | written back until then | sum |")
print("|---|---|---|---|---|")
written = 0
for trial in record["trials"]:
    report = trial["report"]
    written += sum(
        event["kind"] == "hit" and event["result"] == 0
        and event["point"] in ("writeback@done", "shrinker@done")
        for event in report["events"])
    for figure in report["rest"]:
        if figure["name"] == "list_lru_node.nr_items":
            print(f"| {trial['index']} | `{trial['schedule']}` | {figure['observed']} "
                  f"| {written} | {figure['observed'] + written} |")
PYTHON
  cat <<'MARKDOWN'

## To see it

    swift run harness --schedule "writeback@submit > shrinker@isolated"

and, in `result.json`, the `rest` of the trial.
MARKDOWN
} >"$folder/page.md"
cp "$folder/page.md" docs/upstream-nr-items.md
