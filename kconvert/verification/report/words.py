"""Texts that all forms of reports share: verdicts, differences, causes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath

from ...drawing.words import number, percent, plural
from ..comparison import Comparison
from ..value import COPIED, DIFFERS, EQUAL, QUANTIZED, UNPROVED, Cause, Entry, Report, Summary, Verdict

ERROR, CONVERTED = "ERROR", "CONVERTED"


def titled(name: str, layer: str) -> str:
    """A tensor's name and the class of its layer, which outputs do not have."""
    return f"{name} ({layer})" if layer else name


def difference(found: Comparison) -> str:
    """The error of one tensor, or why it cannot be compared."""
    return found.problem or f"error {number(found.max_error)}, allowed {number(found.allowed)}"


def element(found: Comparison) -> str:
    """The element with the largest error: its index and both values; '' where there is no error."""
    if not found.values or (found.equal and not found.max_error):
        return ""
    x, y = found.values
    return f"[{', '.join(map(str, found.worst))}]: {x:.4g} and {y:.4g}"


def classes(done: Report) -> list[str]:
    """How often a classifier gives the same class; nothing for outputs that are not class scores."""
    found = []
    for output in done.outputs:
        if output.top1 is not None:
            top5 = f", in the top 5 for {percent(output.top5)}" if output.top5 is not None else ""
            found.append(f"{output.name}: the same top class for {percent(output.top1)} of the samples{top5}")
    return found


# ------------------------------------------------------------------ verdict ----


def verdict(done: Report) -> str:
    """One sentence: equal or not, what limits that, the error, and the first layer that differs."""
    belongs = "; the weights belong to the converted architecture, not to the one given"
    return f"{done.title}{_because(done)}{belongs if done.plan.get('differing') else ''}"


def _because(done: Report) -> str:
    number_of_layers = plural(len(done.layers), "layer")
    first, worst = done.first_divergence, done.worst
    if first is not None:
        bad = sum(c.differs for c in done.layers)
        return f", first at {titled(first.name, first.layer)}: {difference(first)} ({bad} of {number_of_layers})"
    if worst is None or done.word not in (EQUAL, QUANTIZED):
        return f": {unproved(done)}"
    if not done.layers and not done.not_compared:
        return f": {plural(len(done.outputs), 'output')}, largest error {number(worst.relative)} of its scale"
    if done.not_compared:
        number_of_layers = f"{len(done.layers)} of {plural(len(done.layers) + len(done.not_compared), 'layer')}"
    return f": {number_of_layers}, largest error {number(worst.relative)} of a layer's scale"


def unproved(done: Report) -> str:
    """What was not compared, where no verdict is possible."""
    nothing = done.nothing
    if nothing is None and done.left_out:
        return f"no layer was compared, because {'; '.join(map(str, done.left_out))}"
    if not done.outputs or nothing is None:
        return "no output was compared"
    return f"{titled(nothing.name, nothing.layer)}: {nothing.problem}"


def left_out(done: Report) -> list[str]:
    """Each layer that was not compared, and why."""
    return [f"not compared: {one}" for one in done.left_out]


def reason(cause: Cause) -> str:
    """One sentence: which layer, what is wrong, and what would repair it."""
    return f"{cause}; to repair it: {cause.remedy}" if cause.remedy else str(cause)


def cause_of(done: Report, name: str) -> Cause | None:
    """The cause that is the layer which makes the tensor `name`."""
    return next((cause for cause in done.causes if cause.name == name), None)


# -------------------------------------------------------------------- files ----


def pair(done: Report) -> str:
    """
    >>> from ..value import Side
    >>> from ..tolerance import DEFAULT_TOLERANCE
    >>> sides = Side("a/in.h5", "keras1/theano", "", ""), Side("out.h5", "keras2/tensorflow", "", "")
    >>> pair(Report(*sides, DEFAULT_TOLERANCE, [], []))
    'in.h5 -> out.h5'
    """
    return f"{PurePath(done.source.path).name} -> {PurePath(done.target.path).name}"


def entries(done: Report | Summary) -> Sequence[Entry]:
    """Those of a summary; a single report is one."""
    return done.entries if isinstance(done, Summary) else [Entry(pair(done), done, seconds=done.seconds)]


def outcome(entry: Entry) -> str:
    """The verdict on one pair of files in one sentence, or why there is none."""
    if entry.report:
        return verdict(entry.report)
    if entry.verdict:
        return entry.verdict.words
    return f"{ERROR}: {entry.error}" if entry.error else f"{CONVERTED}, not verified"


def reasons(entry: Entry) -> Sequence[str]:
    """Why one pair of files differs, a sentence for each cause."""
    return [reason(cause) for cause in entry.report.causes] if entry.report else _reasons(entry.verdict)


def _reasons(done: Verdict | None) -> Sequence[str]:
    return done.reasons if done else ()


def brief(done: Report) -> Verdict:
    """What a report says, without its tensors."""
    return Verdict(
        state=Entry("", done).state,
        words=verdict(done),
        reasons=[reason(cause) for cause in done.causes],
        qualifiers=list(done.qualifiers),
        code=done.code,
        layers=len(done.layers),
        relative=float(done.worst.relative) if done.worst else 0.0,
        needed=float(done.needed),
    )


def tally(done: Summary) -> str:
    """
    >>> tally(Summary([Entry("a.h5", error="the file is unreadable")]))
    'NOT PROVED: 1 file, 0 equal, 0 differ, 1 could not be verified'
    """
    how_many = plural(len(done.entries), "file")
    if not done.entries:
        return f"{UNPROVED}: no files"
    if done.equal:
        limits = Counter(limit for entry in done.entries for limit in entry.qualifiers)
        return f"{EQUAL}: {how_many}" + "".join(f", {count} {limit}" for limit, count in limits.items())
    equal, partly, differ, converted = (done.count(state) for state in ("equal", "partly", "differs", "converted"))
    copied = done.count(COPIED)
    unverified = len(done.entries) - equal - partly - differ - converted - copied
    counts = f"{how_many}, {equal} equal, " + (f"{partly} equal in part, " if partly else "") + f"{differ} differ"
    counts += f", {converted} converted and not verified" if converted else ""
    counts += f", {copied} copied unchanged" if copied else ""
    proved = CONVERTED if converted else f"{EQUAL} in part" if partly else EQUAL if equal else COPIED.upper()
    undecided, verb = done.UNDECIDED
    word = DIFFERS if differ else undecided if unverified else proved
    left_out = f", {done.not_tried} not tried" if done.not_tried else ""
    return f"{word}: {counts}, {unverified} {verb}{left_out}"
