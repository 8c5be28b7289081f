#!/usr/bin/env python3
"""The cases of bisect-simulation, bisected by PyPI's git_bayesect.

usage: bisect-bayesect.py CASES HARNESS.jsonl

HARNESS.jsonl has the cells, as bisect-simulation wrote them. git_bayesect's own code chooses
the commit and holds the belief; it stops at 0.99. It takes the ends for given. So each case is
bisected twice: as it comes, and after it has been told the very trials of the ends that
`harness bisect` made in that case, which then count as runs of its own. Each goes on past 0.99,
as it may be right less often than it says: "later" has where it would have stopped at more.
One JSON object a line, which says what version of git_bayesect that is.
"""

import importlib.metadata
import json
import math
import multiprocessing
import sys

import numpy
from git_bayesect import Bisector

WORD = (1 << 64) - 1
CONFIDENCES = (0.99, 0.993, 0.995, 0.997)
LIMIT = 50_000


def mixed(value):
    word = (value + 0x9E3779B97F4A7C15) & WORD
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & WORD
    return word ^ (word >> 31)


class FairCase:
    """Which commit is the culprit, and how each trial comes out: FairCase.swift's."""

    def __init__(self, number, commits):
        self.seed = mixed((number * 0x9E3779B97F4A7C15 + commits) & WORD)
        self.culprit = 1 + mixed(self.seed ^ 0xD6E8FEB86659FD93) % commits

    def shows(self, commit, trial, high, low):
        word = mixed(
            (self.seed + commit * 0xBF58476D1CE4E5B9 + trial * 0x94D049BB133111EB) & WORD
        )
        return (word >> 11) / 2**53 < (high if commit >= self.culprit else low)


def bisect(case, commits, high, low, at_ends):
    """By confidence: the answer, or None where it gave up, runs and kernels."""
    # Its index 0 is the newest commit, and the answer the oldest bad one.
    bisector = Bisector(numpy.ones(commits + 1))
    trials = {}
    runs = 0
    ends = []

    def test(index):
        nonlocal runs
        commit = commits - index
        number = trials.get(commit, 0)
        trials[commit] = number + 1
        runs += 1
        bisector.record(index, case.shows(commit, number, high, low))

    for index, count in zip((0, commits), at_ends):
        for _ in range(count):
            test(index)
    while len(ends) < len(CONFIDENCES):
        belief = bisector.distribution
        best = int(numpy.argmax(belief))
        if belief[best] >= CONFIDENCES[len(ends)]:
            ends.append((commits - best, runs, len(trials)))
        elif runs >= LIMIT:
            ends.append((None, runs, len(trials)))
        else:
            test(bisector.select())
    return ends


def summary(cases, ends):
    builds = sorted(end[2] for end in ends)
    return {
        "cases": len(ends),
        "right": sum(end[0] == case.culprit for case, end in zip(cases, ends)),
        "gaveUp": sum(end[0] is None for end in ends),
        "runs": sum(end[1] for end in ends) / len(ends),
        "builds": sum(builds) / len(ends),
        "builds95": builds[math.floor(len(ends) * 0.95)],
    }


def ends_of_case(job):
    cell, number, at_ends = job
    case = FairCase(number, cell["commits"])
    return bisect(case, cell["commits"], cell["p"], cell["q"], at_ends)


def bisected(method, pool, cell, at_ends):
    """One line: the first cases of a cell, as many as there are numbers of trials at the ends."""
    jobs = [(cell, number, ends) for number, ends in enumerate(at_ends)]
    made = [FairCase(number, cell["commits"]) for number in range(len(jobs))]
    ends = pool.map(ends_of_case, jobs, chunksize=1)
    by_confidence = [summary(made, column) for column in zip(*ends)]
    return {
        "method": method,
        "version": importlib.metadata.version("git_bayesect"),
        **cell,
        **by_confidence[0],
        "atEnds": sum(map(sum, at_ends)) / len(at_ends),
        "later": [
            {"confidence": confidence, **one}
            for confidence, one in zip(CONFIDENCES[1:], by_confidence[1:])
        ],
    }


def main():
    cases = int(sys.argv[1])
    with open(sys.argv[2], encoding="utf-8") as file:
        rows = [row for row in map(json.loads, file) if row["method"] == "harness"]
    if any(row["cases"] < cases for row in rows):
        sys.exit(f"bisect-bayesect: {cases} cases of each cell, and fewer in {sys.argv[2]}")
    with multiprocessing.Pool() as pool:
        for row in rows:
            cell = {name: row[name] for name in ("commits", "p", "q")}
            for method, at_ends in (
                ("bayesect", [(0, 0)] * cases),
                ("bayesect+ends", row["endsOfCases"][:cases]),
            ):
                print(json.dumps(bisected(method, pool, cell, at_ends)), flush=True)


if __name__ == "__main__":
    main()
