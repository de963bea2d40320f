"""A result as JUnit XML, for pipelines: a case for the run's validity, one for each objective."""

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from loadtest.load_report import words
from nlpserve.load_results import Verdict
from nlpserve.load_tests import LoadTestResult, ReasonCode

VALID = "the run can tell"


def junit(result: LoadTestResult) -> str:
    """INVALID is an error, an objective that was not met a failure; neither can be overlooked."""
    name = f"loadtest.{result.scenario.name}"
    suite = Element("testsuite", name=name, timestamp=result.started, time=f"{result.seconds:.1f}")
    case = SubElement(suite, "testcase", classname=name, name=VALID, time=f"{result.seconds:.1f}")
    invalid = result.verdict is Verdict.INVALID
    if invalid:
        texts = [r.text for r in result.reasons if r.code is not ReasonCode.OBJECTIVE]
        _add(case, "error", Verdict.INVALID, texts)
    missed = 0
    for objective in result.objectives:
        case = SubElement(suite, "testcase", classname=name, name=objective.name, time="0")
        measured = words.with_unit(objective.measured, objective.unit)
        bound = words.with_unit(objective.limit, objective.unit)
        text = f"{objective.name}: measured {measured}, wanted at {objective.bound} {bound}"
        if invalid:
            SubElement(case, "skipped", message=f"the run cannot tell; {text}")
        elif not objective.met:
            missed += 1
            _add(case, "failure", Verdict.FAIL, [text])
    if result.verdict is Verdict.FAIL and not missed:
        case = SubElement(suite, "testcase", classname=name, name="verdict", time="0")
        _add(case, "failure", Verdict.FAIL, [reason.text for reason in result.reasons])
        missed = 1
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(missed))
    suite.set("errors", str(int(invalid)))
    suite.set("skipped", str(len(result.objectives) if invalid else 0))
    indent(suite)
    return tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _add(case: Element, kind: str, verdict: Verdict, texts: list[str]) -> None:
    found = SubElement(case, kind, type=verdict, message="; ".join(texts) or str(verdict))
    found.text = "\n".join(texts)
