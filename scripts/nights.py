#!/usr/bin/env python3
"""Writes docs/nights.md from what scripts/nights.sh left, and checks it.

usage: nights.py FOLDER > docs/nights.md
"""

import collections
import json
import os
import pathlib
import sys

BROKEN = "patched-kasan/default/small"
folder = pathlib.Path(sys.argv[1])
export = json.loads((folder / "history.json").read_text())
# A night may have been repeated: the last by Slurm counts.
of_all = list(reversed(export["nights"]))
slurm = [night for night in of_all if night["engine"] == "slurm"]
nights = {"sound": of_all[0], "broken": of_all[1], "slurm": slurm[-1]}
runs = {name: collections.defaultdict(list) for name in nights}
for run in export["runs"]:
    for name, night in nights.items():
        if night["id"] == run["night"]:
            runs[name][run["cell"]].append(run)
cells = sorted({cell for of in runs.values() for cell in of})


def new(name):
    """Cells of what a night's mail lists as new."""
    lines = (folder / f"{name}.mail").read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("New: "))
    items = []
    for line in lines[start + 1 :]:
        if not line.startswith("  "):
            break
        if line.startswith("    ") and line.split()[0] in cells:
            items.append(line.split()[0])
    return items


def status(name, cell):
    """What a night's page says of a cell: one run that fails, and it has failed; a window that
    one run did not enter and another did, was entered."""
    seen = {run["status"] for run in runs[name][cell]}
    return next(word for word in ("fail", "pass", "not exercised", "error") if word in seen)


wrong = []


def check(holds, what):
    if not holds:
        wrong.append(what)
    return f"- {'' if holds else '**NOT SO**: '}{what}"


def page(night):
    return (pathlib.Path(night["folder"]) / "index.html").exists()


code = {name: (folder / f"{name}.exit").read_text().strip() for name in nights}
hosts = sorted({run["host"] for of in runs["slurm"].values() for run in of})
others = [cell for cell in cells if cell != BROKEN]
print("# Nights of real kernels\n")
print(
    "Written by `scripts/nights.sh`: one plan of three kernels, run on this machine, again after the\n"
    "mutant R4a was committed to the branch that patched-kasan is built from, and as it was once more\n"
    f"by a Slurm of two nodes on the same machine; one history. TCG, {os.cpu_count()} CPUs of the host.\n"
)
print("| cell | " + " | ".join(f"{name} ({night['engine']})" for name, night in nights.items()) + " |")
print("|---|" + "---|" * len(nights))
for cell in cells:
    print(
        f"| {cell} | "
        + " | ".join(
            ", ".join(f"{run['status']} in {run.get('seconds', 0):.0f} s" for run in runs[name][cell])
            for name in nights
        )
        + " |"
    )
print("| exit status | " + " | ".join(code[name] for name in nights) + " |\n")
print(
    check(
        all(status("sound", cell) == status("slurm", cell) for cell in cells),
        "both engines come to the same, in each cell",
    )
)
print(
    check(
        all(status("broken", cell) == status("sound", cell) for cell in others)
        and (status("broken", BROKEN), status("sound", BROKEN)) == ("fail", "pass"),
        f"the broken kernel changes what {BROKEN} comes to, and nothing else",
    )
)
print(
    check(
        new("broken") and set(new("broken")) == {BROKEN} and code["broken"] == "1",
        f"what is new in that night is in {BROKEN} alone, each finding seen twice: {len(new('broken'))}",
    )
)
print(check(not new("sound") and not new("slurm"), "nothing is new in the others"))
print(check(len(hosts) == 2, f"both nodes had runs: {', '.join(hosts)}"))
print(check(all(page(night) for night in nights.values()), "each night has its page"))
sys.exit(1 if wrong else 0)
