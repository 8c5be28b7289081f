#!/usr/bin/env python3
"""The cases of bisect-simulation, bisected by PyPI's git_bayesect.

usage: bisect-bayesect.py CASES P,P,... Q,Q,... COMMITS,COMMITS,...

Its own code chooses the commit and holds the belief; it stops at 0.99. One JSON object a
line, as bisect-simulation writes them.
"""

import json
import math
import sys

import numpy
from git_bayesect import Bisector

WORD = (1 << 64) - 1
CONFIDENCE = 0.99
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


def bisect(case, commits, high, low):
    # Its index 0 is the newest commit, and the answer the oldest bad one.
    bisector = Bisector(numpy.ones(commits + 1))
    trials = {}
    runs = 0
    while True:
        belief = bisector.distribution
        best = int(numpy.argmax(belief))
        if belief[best] >= CONFIDENCE:
            return commits - best, runs, len(trials)
        if runs >= LIMIT:
            return None, runs, len(trials)
        index = bisector.select()
        commit = commits - index
        number = trials.get(commit, 0)
        trials[commit] = number + 1
        runs += 1
        bisector.record(index, case.shows(commit, number, high, low))


def main():
    cases = int(sys.argv[1])
    rates, false_rates, sizes = (
        [float(word) for word in argument.split(",")] for argument in sys.argv[2:5]
    )
    for commits in map(int, sizes):
        for low in false_rates:
            for high in rates:
                ends = []
                for number in range(cases):
                    case = FairCase(number, commits)
                    answer, runs, builds = bisect(case, commits, high, low)
                    ends.append((answer, case.culprit, runs, builds))
                builds = sorted(end[3] for end in ends)
                print(
                    json.dumps(
                        {
                            "method": "bayesect",
                            "commits": commits,
                            "p": high,
                            "q": low,
                            "cases": cases,
                            "right": sum(end[0] == end[1] for end in ends),
                            "gaveUp": sum(end[0] is None for end in ends),
                            "runs": sum(end[2] for end in ends) / cases,
                            "builds": sum(builds) / cases,
                            "builds95": builds[math.floor(cases * 0.95)],
                        }
                    ),
                    flush=True,
                )


if __name__ == "__main__":
    main()
