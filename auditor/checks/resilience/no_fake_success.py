"""Invented, mocked or hard-coded results in place of a failure or of a feature that is missing.

Passing title: What the program shows is what happened
Failing title: The program shows success or data that it made up
Grading: Fails when a failed write, payment, message or check of a right is turned into a success, when a failed save is followed by a message that it worked, when a
    form tells that it was sent and sends nothing, or when a function named after such work only waits or answers that it was done. Mock records, random numbers under
    the name of a measurement, fixed figures with their change, and other success without work are partial, the more of them the worse. Two signals stand behind each finding.
    What is shown under a switch, and what was made for tests, seeds, stories, demonstrations, games or simulations, counts for nothing, and neither does a function that nobody uses.
Done when: Each place is gone or stands behind a switch that is off in production, and what is missing says that it is not available.
What it cannot see: Invented figures that carry no telling name, results made up by a language model, success told by a library, and a form whose handler is in another file.
"""

from __future__ import annotations

from auditor.checks.ignored_results import successes_after_failed_saves
from auditor.checks.invented_data import Invention, inventions
from auditor.checks.pretences import Pretence, pretences
from auditor.checks.registry import check
from auditor.checks.simulated_work import Simulation, Uses, simulations
from auditor.model.needs import PROJECT, SYNTAX, TEXTS
from auditor.model.project import Kind, Project
from auditor.model.syntax import Syntax
from auditor.model.verdict import Assessed, Confidence, Finding, Judgement, NotApplicable
from auditor.words import plural

_FAIL = 0.7
_FIRST, _EACH, _MOST_PARTIAL = 0.25, 0.05, 0.55
_INVENTED = {
    "mock-data": "{what} holds made-up records, and no switch keeps them out of production: users take them for real.",
    "mock-data-instead-of-error": "When the call above fails, {what} is shown instead: users take made-up records for real and nobody learns of the failure.",
    "random-as-measurement": "{what} is a random number: whoever reads it takes it for something that was measured.",
    "fixed-figures": "The figures in {what} and their changes are written into the page: they will look the same whatever happens.",
}
_SIMULATED = {
    "simulated-service": "{name}() only waits and then says {told}: no service is asked, and what the user wanted does not happen.",
    "success-without-work": "{name}() does nothing and answers {told}: whoever calls it goes on as if it had been done.",
    "form-goes-nowhere": "{name}() tells the visitor {told} and sends nothing anywhere: what was entered is lost.",
}


@check("resilience.no-fake-success", needs=(PROJECT, SYNTAX, TEXTS))
def no_fake_success(project: Project, syntax: Syntax, texts: dict[str, str]) -> Judgement:
    """Collect pretending handlers, pretended work and made-up data of production code."""
    files = syntax.of(project.production)
    if not files:
        return NotApplicable("There is no production code in a language that is read.")
    if project.kinds == {Kind.LIBRARY}:
        return NotApplicable("This is a library: it hands back what its callers ask for and shows nobody data of its own.")
    uses = Uses(files)
    serious: list[Finding] = []
    lesser: list[Finding] = []
    for facts in files:
        text = texts.get(facts.path, "")
        for pretence in pretences(facts):
            (serious if pretence.write else lesser).append(_pretended(pretence))
        for simulation in simulations(facts, text):
            if uses.of(facts, simulation):
                (serious if simulation.serious else lesser).append(_simulated(simulation))
        lesser += [_invented(each) for each in inventions(facts, text)]
    serious += [
        Finding("failed-save-shown-as-success", drop.path, drop.message, drop.line, drop.end_line, Confidence.MEDIUM, cwe=393)
        for drop in successes_after_failed_saves(files)
    ]
    floor = _FAIL if serious else min(_MOST_PARTIAL, _FIRST + _EACH * len(lesser)) if lesser else 0.0
    return Assessed(
        bad=0,
        total=0,
        floor=floor,
        summary=_summary(serious, lesser),
        findings=(*serious, *lesser),
        signals=(f"{plural(len(files), 'file')} searched for pretending handlers, functions and forms, mock records and random figures",),
        confidence=Confidence.MEDIUM,
    )


def _summary(serious: list[Finding], lesser: list[Finding]) -> str:
    if not serious and not lesser:
        return "No invented result was found: failures stay failures, and no made-up data is shown as real."
    parts = []
    if serious:
        parts.append(f"{plural(len(serious), 'place tells', 'places tell')} of a success that did not happen")
    if lesser:
        parts.append(f"{plural(len(lesser), 'place shows', 'places show')} made-up data or results")
    text = "; ".join(parts)
    return text[:1].upper() + text[1:] + "."


def _pretended(found: Pretence) -> Finding:
    what = f"When {found.callee}() fails"
    message = f"{what}, the answer is {found.told}: whoever asked goes on as if it had worked."
    return Finding("failure-told-as-success", found.path, message, found.line, found.end_line, Confidence.MEDIUM, cwe=393)


def _simulated(found: Simulation) -> Finding:
    message = _SIMULATED[found.rule].format(name=found.name, told=found.told)
    return Finding(found.rule, found.path, message, found.line, found.end_line, Confidence.MEDIUM, cwe=393)


def _invented(found: Invention) -> Finding:
    message = _INVENTED[found.rule].format(what=found.what)
    return Finding(found.rule, found.path, message, found.line, found.end_line, Confidence.MEDIUM, cwe=394)
