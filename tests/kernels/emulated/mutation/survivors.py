"""What became of the mutants: scores, survivors, and why some of them are nobody's fault."""

import collections
import dataclasses
import fnmatch
import pathlib


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of the mutants of one kernel. killed: [(mutant, killer)]."""

    kernel: str
    killed: list
    survivors: list
    seconds: float

    @property
    def total(self) -> int:
        return len(self.killed) + len(self.survivors)

    def score(self, known) -> float:
        """The share that was killed of those that are not known to be equivalent."""
        explanations = [explanation(self.kernel, mutant, known) for mutant in self.survivors]
        equivalent = sum(bool(entry) and entry.get("equivalent", True) for entry in explanations)
        return len(self.killed) / max(self.total - equivalent, 1)


def source_line(mutant) -> str:
    """The text of the source line that a mutant is in, "" where it is not known."""
    if not mutant.line:
        return ""
    try:
        return pathlib.Path(mutant.file).read_text("utf-8").splitlines()[mutant.line - 1].strip()
    except (OSError, IndexError):
        return ""


def explanation(kernel, mutant, known) -> dict | None:
    """The entry of the file of explanations that fits this survivor."""
    what = {
        "kernel": kernel,
        "kind": mutant.kind,
        "before": mutant.before,
        "source": source_line(mutant),
    }
    for entry in known:
        if all(fnmatch.fnmatchcase(what[key], entry.get(key, "*")) for key in what):
            return entry
    return None


def described(outcome, known) -> str:
    """The outcome in lines for people."""
    lines = [
        f"{outcome.kernel}: {len(outcome.killed)} of {outcome.total} mutants killed, "
        f"score {outcome.score(known):.1%}, {outcome.seconds:.0f} s"
    ]
    killers = collections.Counter(killer for _, killer in outcome.killed)
    lines.append("  killed by " + ", ".join(f"{k} {n}" for k, n in sorted(killers.items())))
    for mutant in outcome.survivors:
        entry = explanation(outcome.kernel, mutant, known)
        place = f"{mutant.file.rpartition('/')[2]}:{mutant.line}"
        lines += [
            f"  survivor {mutant.number}: {mutant.kind} at {place}: {source_line(mutant)}",
            f"    {mutant.before}  ->  {mutant.after or '(left out)'}",
            f"    {entry['why'] if entry else 'NOT EXPLAINED'}",
        ]
    return "\n".join(lines)


def record(outcome, known) -> dict:
    """The outcome for machines."""
    survivors = []
    for mutant in outcome.survivors:
        entry = explanation(outcome.kernel, mutant, known)
        source = {"source": source_line(mutant), "why": entry and entry["why"]}
        survivors.append(mutant._asdict() | source)
    return {
        "kernel": outcome.kernel,
        "mutants": outcome.total,
        "killed": len(outcome.killed),
        "score": outcome.score(known),
        "seconds": outcome.seconds,
        "survivors": survivors,
    }
