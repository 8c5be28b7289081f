"""Reads a night's reports as those who will: prints what they made of them.

    validate.py kcidb|junit FILE
    validate.py ktap FILE KUNIT       (the kernel's tools/testing/kunit)
"""

import json
import sys

kind, path = sys.argv[1:3]
with open(path, encoding="utf-8") as file:
    text = file.read()

if kind == "kcidb":
    import kcidb_io

    data = kcidb_io.schema.V5_3.validate(json.loads(text))
    assert kcidb_io.schema.V5_3.is_compatible_exactly(data)
    for name in ("checkouts", "builds", "tests"):
        ids = [item["id"] for item in data[name]]
        assert len(ids) == len(set(ids)), f"{name}: an id is there twice"
    tests = {test["id"] for test in data["tests"]}
    builds = {build["id"] for build in data["builds"]}
    issues = {issue["id"] for issue in data["issues"]}
    assert all(test["build_id"] in builds for test in data["tests"])
    assert all(item["test_id"] in tests and item["issue_id"] in issues
               for item in data["incidents"])
    print(json.dumps({
        "tests": sorted(test["status"] for test in data["tests"]),
        "builds": sorted(build["status"] for build in data["builds"]),
        "issues": len(issues), "incidents": len(data["incidents"]),
    }))
elif kind == "junit":
    import junitparser

    xml = junitparser.JUnitXml.fromstring(text.encode())
    results = {"pass": 0}
    for suite in xml:
        for case in suite:
            for result in case.result:
                name = type(result).__name__.lower()
                results[name] = results.get(name, 0) + 1
            if not case.result:
                results["pass"] += 1
    declared = {"tests": xml.tests, "failure": xml.failures, "error": xml.errors,
                "skipped": xml.skipped}
    assert xml.tests == sum(results.values()), (declared, results)
    for name in ("failure", "error", "skipped"):
        assert declared[name] == results.get(name, 0), (declared, results)
    print(json.dumps(results))
else:
    sys.path.insert(0, sys.argv[3])
    import io

    import kunit_parser
    from kunit_printer import Printer

    kunit_parser.stdout = Printer(io.StringIO())
    test = kunit_parser.parse_run_tests(text.splitlines())
    counts = test.counts
    print(json.dumps({
        "suites": len(test.subtests), "passed": counts.passed, "failed": counts.failed,
        "skipped": counts.skipped, "errors": counts.errors, "crashed": counts.crashed,
    }))
