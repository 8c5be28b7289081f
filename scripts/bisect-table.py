#!/usr/bin/env python3
"""Writes docs/bisect-simulation.md from the lines of bisect-simulation and
bisect-bayesect.py; scripts/bisect-simulation.sh calls it.

usage: bisect-table.py FILE.jsonl... > docs/bisect-simulation.md
"""

import json
import math
import sys

rows = {}
for name in sys.argv[1:]:
    for line in open(name, encoding="utf-8"):
        row = json.loads(line)
        rows[row["commits"], row["q"], row["p"], row["method"]] = row

print("# Bisecting by coin tosses\n")
print(
    "Written by `scripts/bisect-table.py`. Trials are coin tosses: p is the rate of the finding\n"
    "on bad commits, q that on good ones. Each way to bisect has the same cases. A cell is\n"
    "right answers / runs / kernels built, means; `harness bisect` at confidence 0.99, a build\n"
    "as long as 20 trials. It proves the ends before all else, and takes p from there: the runs\n"
    "that went there are counted, and given by themselves. `fixed` is git bisect with N runs a\n"
    "commit, N from the true p; it tries no ends. `syzkaller` is 20 runs at the ends, then 10 or\n"
    "20 a commit. `bayesect` is PyPI's git_bayesect, stopped at 0.99; it takes the ends for given,\n"
    "and had fewer cases, as said. `ends told` is the same after it has been told the very trials of\n"
    "the ends that `harness bisect` made in that case, which then count. The bound is of runs: no way\n"
    "to bisect that is right as often does with fewer on average, even if it is told p and q (Fano's\n"
    "inequality, the channel's capacity).\n"
)
print("| commits | p | q | harness | of them at the ends | builds / log2 n | fixed | syzkaller | bayesect | ends told | bound |")
print("|---|---|---|---|---|---|---|---|---|---|---|")


def cell(row):
    if row is None:
        return "not run"
    share = 100 * row["right"] / row["cases"]
    return f"{share:.1f} % / {row['runs']:.0f} / {row['builds']:.1f} ({row['cases']} cases)"


for commits in (64, 1024):
    for q in (0, 0.02):
        for p in (0.8, 0.3, 0.1, 0.05):
            mine = rows.get((commits, q, p, "harness"))
            others = [
                cell(rows.get((commits, q, p, name)))
                for name in ("fixed", "syzkaller", "bayesect", "bayesect+ends")
            ]
            ends = f"{mine['runsAtEnds']:.0f}" if mine else ""
            ratio = f"{mine['builds'] / math.log2(commits):.2f}" if mine else ""
            bound = f"{mine['bound']:.0f}" if mine else ""
            print(
                f"| {commits} | {p} | {q} | {cell(mine)} | {ends} | {ratio} | {' | '.join(others)} | {bound} |"
            )


def beside(name):
    return [
        (row, rows[key[:3] + (name,)])
        for key, row in rows.items()
        if key[3] == "harness" and key[:3] + (name,) in rows
    ]


def check_ends():
    """What bayesect was told of the ends has to be what `harness bisect` tried there."""
    for mine, other in beside("bayesect+ends"):
        if abs(at_ends(mine, other) - other["atEnds"]) > 1e-6:
            sys.exit(
                "bisect-table: bayesect was told of other trials at the ends than `harness bisect`"
                " makes now:\n  run scripts/bisect-simulation.sh with a number of cases for it"
            )


def runs(mine, other):
    """Of those cases that the other has had as well: the first ones."""
    return sum(mine["runsOfCases"][: other["cases"]]) / other["cases"]


def at_ends(mine, other):
    return sum(map(sum, mine["endsOfCases"][: other["cases"]])) / other["cases"]


def span(values):
    values = [100 * value for value in values]
    return f"{min(values):.0f} to {max(values):.0f} %"


def seconds(row):
    """In trials, a build as long as 20."""
    return row["runs"] + 20 * row["builds"]


def surer(row):
    """Where bayesect is right in 99 %: at 0.99, or at more, if it has been followed so far."""
    return next((one for one in [row] + row["later"] if one["right"] >= 0.99 * one["cases"]), None)


check_ends()
given, told = beside("bayesect"), beside("bayesect+ends")
between = sum(runs(*pair) - at_ends(*pair) < pair[1]["runs"] for pair in given)
fewer = sum(runs(*pair) < pair[1]["runs"] for pair in given)
as_right = [(mine, other, surer(other)) for mine, other in given]
# Where it was not followed so far it takes more than at the last stop.
fewer_as_right = sum(
    runs(mine, other) < (one or other["later"][-1])["runs"] for mine, other, one in as_right
)
version = ", ".join(sorted({other["version"] for _, other in given}))
print(
    f"\nBeside bayesect ({version}), over the cases that both were given: without the trials at the ends\n"
    f"`harness bisect` takes fewer runs in {between} of {len(given)} cells, with them in {fewer}, and in "
    f"{fewer_as_right} where bayesect,\nfollowed past 0.99 if need be, is right in 99 % as it is meant to be:\n"
    f"{span(runs(*pair) / pair[1]['runs'] for pair in given)} of bayesect's, and "
    f"{span(runs(*pair) / pair[1]['runs'] for pair in told)} of what bayesect takes where it has been told\n"
    f"the trials of the ends. It builds {span(mine['builds'] / other['builds'] for mine, other in given)} "
    f"as many kernels, and takes {span(seconds(mine) / seconds(other) for mine, other in given)}\n"
    f"of the time, with a build as long as 20 trials."
)


overconfident = [one for one in as_right if one[1]["right"] < 0.99 * one[1]["cases"]]
if overconfident:
    print("\nAt 0.99 bayesect is right in fewer than 99 %, and where it is right as often takes more, in:\n")
for mine, other, later in overconfident:
    share = f"{100 * other['right'] / other['cases']:.1f} %"
    end = (
        f"stopped at {later['confidence']} it is right in {100 * later['right'] / later['cases']:.1f} %"
        f" and takes {later['runs']:.0f} runs"
        if later
        else f"stopped at {other['later'][-1]['confidence']} it takes {other['later'][-1]['runs']:.0f}, and is"
        f" right in {100 * other['later'][-1]['right'] / other['cases']:.1f} %"
    )
    right = f"{100 * mine['right'] / mine['cases']:.1f} %"
    print(
        f"- {mine['commits']} commits, p = {mine['p']}, q = {mine['q']}: right in {share} of {other['cases']}"
        f" with {other['runs']:.0f} runs; {end}. `harness bisect`: {right}, {runs(mine, other):.0f} runs in those cases."
    )
