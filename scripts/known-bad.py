"""docs/known-bad.md from the runs of known-bad.sh.

    known-bad.py COUNT CPUS FOLDER|ID|SCHEDULE...

Exits 1 if a bug was not found by the first trial of each run.
"""

import json
import statistics
import sys

count, cpus = int(sys.argv[1]), sys.argv[2]
print(f"""# Known bugs, found by the schedule that names their window

Written by `scripts/known-bad.sh {count}`: kernels with KASAN and lockdep, TCG, {cpus} CPUs of the
host. Each run is one trial in a fresh guest. The time is from the guest being ready until the
trial was over: paging out, the race, and what follows the report on the console.

| bug | schedule | found | first finding | median s | slowest s |
|---|---|---|---|---|---|""")
missed = False
for argument in sys.argv[3:]:
    folder, name, schedule = argument.split("|")
    record = json.load(open(f"{folder}/{name}/result.json", encoding="utf-8"))
    trial = record["trials"][0]
    failing = [finding for finding in trial["findings"] if not finding.get("known")]
    found, times, title = 0, [], "-"
    if failing:
        found, title = 1, failing[0]["title"]
        times.append(trial["secondsFromReady"])
    for again in record.get("reproductions") or []:
        if failing and again["fingerprint"] == failing[0]["fingerprint"]:
            found += again["failures"]
            times += again["seconds"]
    missed = missed or found < count
    cells = [
        name, f"`{schedule}`", f"{found} of {count}", title,
        f"{statistics.median(times):.1f}" if times else "-",
        f"{max(times):.1f}" if times else "-",
    ]
    print("| " + " | ".join(cells) + " |")
sys.exit(missed)
