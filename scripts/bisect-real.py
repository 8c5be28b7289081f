#!/usr/bin/env python3
"""Writes docs/bisect-real.md from bisections of a generated repository.

usage: bisect-real.py REPOSITORY BISECTION... > docs/bisect-real.md
"""

import json
import os
import pathlib
import re
import sys

repository = pathlib.Path(sys.argv[1])
print("# Bisections with real kernels\n")
print(
    "Written by `scripts/bisect-real.sh`: histories of 256 commits on Debian's 6.12 source, made by\n"
    "`Tests/bisect-repository.py`, in which some do not build, some do not boot, some warn at boot,\n"
    "and one brings a bug in. Kernels without a sanitizer, built one after the other in one tree,\n"
    f"and booted under TCG; {os.cpu_count()} CPUs of the host, which had other work as well. A step\n"
    "is a kernel and its trials; the first kernel of all is built from nothing. Trials are the\n"
    "seconds in the guest, boots those until it is ready; what is beside them and the building\n"
    "is the module, the initramfs and the record, in per cent of it all.\n"
)
print("| bug | culprit | answer | | kernels | skipped | trials | s of building | a kernel after the first | s of boots | s of trials | s beside |")
print("|---|---|---|---|---|---|---|---|---|---|---|---|")
for name in sys.argv[2:]:
    folder = pathlib.Path(name)
    truth = json.loads((repository / f"{folder.name}.json").read_text())["culprit"]
    log = (folder / "bisect.log").read_text()
    answer = re.search(r"^# first \w+ commit: \[(\w+)\]", log, re.M)
    answer = answer.group(1) if answer else "none"
    entries = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    builds = [e["built"]["seconds"] for e in entries if "built" in e]
    trials = [e["trial"]["trial"]["seconds"] for e in entries if "trial" in e]
    runs = [json.loads(name.read_text()) for name in folder.glob("runs/*/result.json")]
    boots = sum(guest.get("readySeconds") or 0 for run in runs for guest in run["guests"])
    inside = sum(
        trial["report"]["milliseconds"] / 1000
        for run in runs
        for trial in run["trials"]
        if trial.get("report")
    )
    beside = sum(run["durationSeconds"] for run in runs) - boots - inside
    skipped = log.count("git bisect skip")
    later = sorted(builds[1:])
    print(
        f"| {folder.name} | {truth[:12]} | {answer[:12]} | {'right' if answer == truth else 'WRONG'} "
        f"| {len(builds)} | {skipped} | {len(trials)} | {sum(builds):.0f} "
        f"| {later[len(later) // 2]:.0f} s | {boots:.0f} | {inside:.0f} "
        f"| {beside:.0f} ({100 * beside / (sum(builds) + sum(trials)):.1f} %) |"
    )
