#!/usr/bin/env python3
"""What scripts/green.sh keeps of a run, and the table of all.

usage: green.py run RESULT STATUS
       green.py table FOLDER NAME... > docs/green.md
"""

import json
import os
import pathlib
import sys


def run(path, status):
    """Status, trials, seconds, and titles of what was found; False if it was interrupted."""
    try:
        result = json.loads(pathlib.Path(path).read_text())
    except FileNotFoundError:
        result = {}
    if result.get("error", {}).get("message") == "interrupted":
        return False
    titles = [item["title"] for item in result.get("findings", []) if "known" not in item]
    print(
        json.dumps(
            {
                "status": int(status),
                "release": result.get("kernel", {}).get("release", "-"),
                "trials": len(result.get("trials", [])),
                "seconds": round(result.get("durationSeconds", 0), 1),
                "findings": titles,
            }
        )
    )
    return True


def table(folder, names):
    print("# Kernels without a bug\n")
    print(
        "Written by `scripts/green.sh`: default runs of Debian's unmodified 6.12 and of the negative\n"
        "controls among the [mutants](mutants.md), changes that look like bugs and are none, built\n"
        f"without sanitizers. TCG, {os.cpu_count()} CPUs of the host; guests are started from a saved one.\n"
    )
    print("| kernel | release | runs | passed | trials | findings | seconds, median | slowest |")
    print("|---|---|---|---|---|---|---|---|")
    total = passed = 0
    for name in names:
        lines = [json.loads(line) for line in (pathlib.Path(folder) / name).read_text().splitlines()]
        seconds = sorted(line["seconds"] for line in lines)
        good = sum(line["status"] == 0 for line in lines)
        total += len(lines)
        passed += good
        print(
            f"| {name} | {lines[0]['release']} | {len(lines)} | {good}"
            f" | {sum(line['trials'] for line in lines)} | {sum(len(line['findings']) for line in lines)}"
            f" | {seconds[len(seconds) // 2]:.0f} | {seconds[-1]:.0f} |"
        )
    print(f"\n{passed} of {total} runs passed.")
    for name in names:
        for number, line in enumerate((pathlib.Path(folder) / name).read_text().splitlines(), 1):
            line = json.loads(line)
            if line["status"]:
                print(f"- {name}, run {number}: exit {line['status']} {'; '.join(line['findings'])}")
    return passed == total


if __name__ == "__main__":
    done = run(*sys.argv[2:]) if sys.argv[1] == "run" else table(sys.argv[2], sys.argv[3:])
    sys.exit(0 if done else 1)
