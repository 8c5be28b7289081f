#!/usr/bin/env python3
"""A row of docs/kernels.md from a run's result.json.
Usage: kernels.py NAME RESULT STATUS LOAD"""
import json
import sys

name, path, status, load = sys.argv[1:]
with open(path) as file:
    run = json.load(file)


def points(provider):
    """Those that the provider reaches, of all."""
    for listing in run["points"]:
        if listing["provider"] == provider:
            present = [point for point in listing["points"] if "provider" in point]
            return f"{len(present)} of {len(listing['points'])}"
    return "-"


def outcomes(state):
    return sum(trial["outcome"]["state"] == state for trial in run["trials"])


verdict = run["status"]
titles = [finding["title"] for finding in run["findings"] if "known" not in finding]
if titles:
    verdict += ": " + "; ".join(titles)
elif "error" in run:
    verdict += ": " + run["error"]["message"].splitlines()[0]
elif run["reasons"]:
    verdict += f": {len(run['reasons'])} reasons, the first: {run['reasons'][0]}"
if run["exitCode"] != int(status):
    verdict += f" (result.json has exit {run['exitCode']})"
print("| " + " | ".join(str(cell).replace("|", "/") for cell in (
    name, run.get("kernel", {}).get("release", "-"), points("patch"), points("ftrace"),
    len(run["trials"]), outcomes("interleaved"), outcomes("excluded"), verdict, status,
    round(run.get("durationSeconds", 0)), load)) + " |")
