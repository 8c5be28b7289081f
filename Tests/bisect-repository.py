#!/usr/bin/env python3
"""Makes a git repository of a Linux source, with a history to bisect.

usage: bisect-repository.py SOURCE DIR [--commits N] [--seed N] [--only PATH]... [--mutant FILE]...

SOURCE is a plain source tree; it is only read. The first commit, tagged "base", is that
source with this project's hook points. For each mutant (at least one; a patch for that
source) there is a branch of N commits, named after the file, in which the mutant is one
commit somewhere. Beside it, the others change:

- mm/ and other code that is compiled, so that each kernel is another;
- documentation, and comments, so that the kernel stays the same;
- now and then something that does not build, or that does not boot, or that warns at
  boot, which one of the next commits takes back.

DIR/<branch>.json says what is true of a branch, as `harness bisect --simulate` reads it.
With --only, only these parts of the source are there: enough for simulated builds.
"""

import argparse
import json
import pathlib
import random
import subprocess

PROJECT = pathlib.Path(__file__).resolve().parent.parent
FILES = ["mm/zswap.c", "mm/swap_state.c", "mm/page_io.c", "mm/list_lru.c", "mm/swap.c"]
OTHERS = ["lib/string.c", "kernel/fork.c", "lib/bitmap.c"]
BROKEN = {
    "unbuildable": ("mm/swapfile.c", "#error this commit does not build\n"),
    "unbootable": (
        "mm/swap_slots.c",
        "static int __init harness_no_boot(void)\n{\n\tpanic(\"this commit does not boot\");\n}\n"
        "early_initcall(harness_no_boot);\n",
    ),
    "warning": (
        "mm/vmscan.c",
        "static int __init harness_warning(void)\n{\n\tWARN(1, \"unrelated\");\n\treturn 0;\n}\n"
        "late_initcall(harness_warning);\n",
    ),
}


class Repository:
    def __init__(self, path):
        self.path = path

    def git(self, *arguments, stdin=None, work_tree=None):
        command = ["git", "--git-dir", str(self.path / ".git")]
        if work_tree is not None:
            command += ["--work-tree", str(work_tree)]
        result = subprocess.run(
            command + list(arguments), input=stdin, stdout=subprocess.PIPE, check=True
        )
        return result.stdout

    def text(self, *arguments):
        return self.git(*arguments).decode().strip()


def base(repository, source, only):
    subprocess.run(["git", "init", "--quiet", "-b", "base-branch", repository.path], check=True)
    for name, value in [("user.name", "harness"), ("user.email", "harness@example.org")]:
        repository.git("config", name, value)
    repository.git("config", "gc.auto", "0")
    repository.git("add", "-A", "-f", *(only or ["."]), work_tree=source)
    for line in (PROJECT / "qemu/kernel/patches/series").read_text().splitlines():
        name = line.split("#")[0].strip()
        if not name:
            continue
        patch = (PROJECT / "qemu/kernel/patches" / name).read_bytes()
        include = [f"--include={path}/*" for path in only or []]
        repository.git("apply", "--cached", *include, "-", stdin=patch)
    tree = repository.text("write-tree")
    commit = repository.text("commit-tree", "-m", "Linux, with hook points", tree)
    repository.git("update-ref", "refs/heads/base-branch", commit)
    repository.git("tag", "base", commit)
    return commit


def mutated(repository, parent, patch):
    """The file's text with the mutant in it, applied to a commit."""
    repository.git("read-tree", parent)
    repository.git("apply", "--cached", "--include=mm/*", str(patch))
    names = repository.text("diff", "--cached", "--name-only", parent).split()
    return {name: repository.git("show", f":{name}").decode() for name in names}


def branch(repository, start, name, patch, count, seed):
    """Writes the commits, and returns what is true of them."""
    generator = random.Random(f"{seed} {name}")
    files = {}

    def text(path):
        if path not in files:
            files[path] = repository.git("show", f"{start}:{path}").decode()
        return files[path]

    culprit = generator.randrange(2, count - 1)
    kinds = {}
    # Each breakage lasts for a few commits; the ends are sound.
    for kind in ("unbuildable", "unbootable", "warning", "unbuildable"):
        length = generator.randrange(2, 6)
        while True:
            first = generator.randrange(2, count - length - 2)
            span = range(first, first + length + 1)
            if not any(index in kinds for index in span) and culprit not in span:
                break
        for index in span:
            kinds[index] = (kind, index == first, index == first + length)
    patched = mutated(repository, start, patch)
    stream = []
    notes = []
    broken = set()
    for index in range(1, count + 1):
        state = kinds.get(index)
        changed = {}
        if index == culprit:
            subject = f"mm: bring in {name}"
            for path, new in patched.items():
                # What was appended so far stays behind it.
                changed[path] = new + text(path)[len(original(repository, start, path)) :]
            note = "culprit"
        elif state and state[1]:
            path, lines = BROKEN[state[0]]
            changed[path] = text(path) + lines
            broken.add(state[0])
            subject, note = f"mm: {state[0]} from here", "broken"
        elif state and state[2]:
            path, lines = BROKEN[state[0]]
            changed[path] = text(path).replace(lines, "")
            broken.discard(state[0])
            subject, note = f"mm: {state[0]} no more", "mended"
        elif generator.random() < 0.3:
            if generator.random() < 0.5:
                path = f"Documentation/mm/note-{index}.rst"
                changed[path] = f"Note {index}\n"
            else:
                path = generator.choice(FILES)
                changed[path] = text(path) + f"/* remark {index} */\n"
            subject, note = f"{path}: words {index}", "inert"
        else:
            path = generator.choice(FILES if generator.random() < 0.7 else OTHERS)
            changed[path] = text(path) + (
                f"int harness_change_{index}(void);\n"
                f"int harness_change_{index}(void)\n{{\n\treturn {index};\n}}\n"
            )
            subject, note = f"{path}: change {index}", "change"
        files.update(changed)
        notes.append((note, set(broken)))
        stamp = f"harness <harness@example.org> {1700000000 + index} +0000"
        stream.append(f"commit refs/heads/{name}\nmark :{index}\ncommitter {stamp}\n".encode())
        stream.append(f"data {len(subject)}\n{subject}\n".encode())
        stream.append(f"from {start if index == 1 else f':{index - 1}'}\n".encode())
        for path, content in changed.items():
            data = content.encode()
            stream.append(f"M 100644 inline {path}\ndata {len(data)}\n".encode() + data + b"\n")
        stream.append(b"\n")
    repository.git("fast-import", "--quiet", stdin=b"".join(stream))
    hashes = repository.text("rev-list", "--reverse", f"{start}..{name}").split()

    def having(kind):
        return [hash for hash, note in zip(hashes, notes) if kind in note[1]]

    return {
        "culprit": hashes[culprit - 1],
        "p": 1.0,
        "q": 0.0,
        "unbuildable": having("unbuildable"),
        "unbootable": having("unbootable"),
        "warning": having("warning"),
        "inert": [hash for hash, note in zip(hashes, notes) if note[0] == "inert"],
        "buildMilliseconds": 0,
        "trialMilliseconds": 0,
    }


ORIGINALS = {}


def original(repository, start, path):
    if path not in ORIGINALS:
        ORIGINALS[path] = repository.git("show", f"{start}:{path}").decode()
    return ORIGINALS[path]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--commits", type=int, default=256)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append")
    parser.add_argument("--mutant", action="append", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    repository = Repository(arguments.directory)
    start = base(repository, arguments.source.resolve(), arguments.only)
    for mutant in arguments.mutant:
        name = mutant.stem
        truth = branch(
            repository, start, name, mutant.resolve(), arguments.commits, arguments.seed
        )
        (arguments.directory / f"{name}.json").write_text(json.dumps(truth, indent=1) + "\n")
        print(f"{name}: {arguments.commits} commits, the culprit is {truth['culprit'][:12]}")


if __name__ == "__main__":
    main()
