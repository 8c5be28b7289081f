"""Rows of docs/throughput.md.

    throughput.py rate RESULT_JSON PROVIDER EXIT LOAD
    throughput.py profile RESULT_JSON
"""

import json
import sys

record = json.load(open(sys.argv[2], encoding="utf-8"))
reports = [trial["report"] for trial in record["trials"] if trial.get("report")]


def row(cells):
    return "| " + " | ".join(map(str, cells)) + " |"


if sys.argv[1] == "rate":
    times = sorted(report["milliseconds"] for report in reports)
    rate = len(times) / (sum(times) / 1000)
    print(row([
        record["kernel"]["release"], sys.argv[3], sys.argv[4], len(times), f"{rate:.1f}",
        times[len(times) // 2], times[len(times) * 9 // 10], times[-1],
        f"{record['durationSeconds']:.0f}", sys.argv[5],
    ]))
else:
    parts = {}
    for report in reports:
        for phase in report["phases"]:
            parts.setdefault(phase["name"], []).append(phase["microseconds"] / 1000)
    total = sum(map(sum, parts.values()))
    print(row([record["kernel"]["release"], "trials", "s", "share", "median ms", "slowest ms"]))
    print("|---|---|---|---|---|---|")
    for name, times in sorted(parts.items(), key=lambda part: -sum(part[1])):
        times.sort()
        print(row([
            name, len(times), f"{sum(times) / 1000:.1f}", f"{sum(times) / total:.0%}",
            f"{times[len(times) // 2]:.1f}", f"{times[-1]:.0f}",
        ]))
