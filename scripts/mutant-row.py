"""A row of docs/mutants.md: mutant-row.py ID PATCH RESULT.JSON."""

import json
import re
import sys

name, patch, result = sys.argv[1:]
text = open(patch, encoding="utf-8").read()


def header(key):
    match = re.search(rf"^{key}: *(.*(?:\n(?=[ \t]).*)*)", text, re.M)
    return " ".join(match.group(1).split()) if match else "-"


record = json.load(open(result, encoding="utf-8"))
spent, first = 0, None
for trial in record["trials"]:
    found = [f for f in trial["findings"] if "known" not in f]
    spent += (trial.get("report") or {}).get("milliseconds", 0)
    if found:
        first = (trial, found[0])
        break
violated = [c["claim"] for c in record["claims"] if c["result"] == "violated"]
cells = [
    name,
    header("Class").split(" ")[0],
    re.split(r"[ (]", header("Claim"))[0] if header("Claim").startswith("none") else header("Claim"),
    str(record["exitCode"]),
    " ".join(violated) or "-",
    first[1]["title"] if first else "-",
    f"`{first[0]['schedule']}`" if first and first[0].get("schedule") else "-",
    str(first[0]["index"]) if first else "-",
    str(spent) if first else "-",
]
print("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
