# Reads a report by junitparser: the files that failed and those with output, and what stands there.
import json
import sys

from junitparser import Failure, JUnitXml

tests, failed, output = 0, [], []
for suite in JUnitXml.fromfile(sys.argv[1]):
    for case in suite:
        tests += 1
        name = case.name if case.classname == "." else f"{case.classname}/{case.name}"
        for result in case.result:
            assert isinstance(result, Failure), result
            failed.append({"name": name, "type": result.type, "message": result.message, "text": result.text})
        if case.system_out:
            output.append({"name": name, "text": case.system_out})
    assert suite.tests == tests and suite.failures == len(failed) and suite.errors == 0, "counts"
print(json.dumps({"tests": tests, "failed": failed, "output": output}))
