"""A chapter of the tour: sentences and examples, and what the examples gave when they ran."""

import ast
import inspect
import string
import textwrap
import time
import warnings
from dataclasses import dataclass, field

from dnn.callbacks import TrainingWarning
from dnn.datasets import DatasetError

GIVEN = ("data_dir",)
"""What an example may take beside the results of those before it: where the user has his data."""


@dataclass
class Example:
    """function: its body is the code on the page; it returns {name: value}, its last line being
    such a dict of variables. It may take results of earlier examples of its chapter by their name.

    Of the values, a matplotlib Figure is a picture, a list of dicts a table, and the rest can stand
    in the sentences as {name} or {name:.2f}; numbers that do not are printed under the code.
    captions: {picture: what is to be seen in it}; may name values too.
    """

    title: str
    text: str
    function: object
    captions: dict[str, str]

    @property
    def code(self) -> str:
        """The function's lines, without `def`, and without the `return` that hands over its
        variables."""
        lines, (definition,) = self._parsed()
        first = definition.body[0].lineno
        while lines[first - 2].lstrip().startswith("#"):  # a comment above the first statement
            first -= 1
        body = lines[first - 1 : definition.body[-1].lineno - 1]
        return textwrap.dedent("\n".join(body)).rstrip()

    @property
    def returned(self) -> ast.expr:
        """The expression after `return`."""
        return self._parsed()[1][0].body[-1].value

    @property
    def tells(self) -> set[str]:
        """The names of the values that stand in its sentences."""
        texts = [self.text, *self.captions.values()]
        return {name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name}

    @property
    def takes(self) -> tuple[str, ...]:
        return tuple(inspect.signature(self.function).parameters)

    def _parsed(self):
        source = textwrap.dedent(inspect.getsource(self.function))
        return source.splitlines(), ast.parse(source).body

    def run(self, known) -> "Outcome":
        began = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TrainingWarning)  # the page shows them
            values = self.function(**{name: known[name] for name in self.takes})
        return Outcome(self, values, time.perf_counter() - began)


@dataclass
class Outcome:
    """What an example gave; missing: why it did not run, or None."""

    example: Example
    values: dict
    seconds: float
    missing: str | None = None


@dataclass
class Told:
    """A chapter that has run."""

    title: str
    text: str
    imports: str
    outcomes: list[Outcome]

    @property
    def seconds(self):
        return sum(outcome.seconds for outcome in self.outcomes)


@dataclass
class Chapter:
    """chapter = Chapter("Title", "Sentences."), and @chapter.example(…) above each function.

    needs_images: it takes Fashion-MNIST, and is left out where there is none.
    """

    title: str
    text: str
    needs_images: bool = False
    examples: list[Example] = field(default_factory=list)

    def example(self, title, text, **captions):
        def add(function):
            self.examples.append(Example(title, text, function, captions))
            return function

        return add

    @property
    def imports(self) -> str:
        """The import lines of the chapter's file, but for that of this class."""
        source = inspect.getsource(inspect.getmodule(self.examples[0].function))
        nodes = [n for n in ast.parse(source).body if isinstance(n, ast.Import | ast.ImportFrom)]
        segments = [ast.get_source_segment(source, node) for node in nodes]
        return "\n".join(line for line in segments if "dnn.tour" not in line)

    def run(self, images=True, data_dir=None) -> Told:
        """Run the examples in their order. One that gets no data ends the chapter and says why."""
        known, outcomes = {"data_dir": data_dir}, []
        if self.needs_images and not images:
            why = "The images were to be left out (--without-images)."
            outcomes.append(Outcome(self.examples[0], {}, 0.0, missing=why))
            return Told(self.title, self.text, self.imports, outcomes)
        for example in self.examples:
            try:
                outcomes.append(example.run(known))
            except DatasetError as error:
                outcomes.append(Outcome(example, {}, 0.0, missing=str(error)))
                break
            known |= outcomes[-1].values
        return Told(self.title, self.text, self.imports, outcomes)
