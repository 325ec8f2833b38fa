"""The tour: what is on the page is what ran."""

import ast
import base64
import html
import html.parser
import inspect
import pathlib
import re
import textwrap

import numpy as np
import pytest

from dnn import Sequential, datasets, tour
from dnn.command.cli import main
from dnn.datasets import DatasetNotFoundError
from dnn.tour import code, page
from dnn.tour.chapter import Chapter

FOLDER = pathlib.Path(tour.__path__[0]) / "chapters"
CHEAP = ("neuron", "gates", "forward", "classes", "backpropagation")


@pytest.fixture(scope="module")
def cheap(tmp_path_factory):
    """(page, lines of progress) of the cheap chapters."""
    said = []
    path = tour.run(
        tmp_path_factory.mktemp("tour") / "a" / "tour.html", contents=CHEAP, say=said.append
    )
    return path.read_text(), said


NOWHERE = "fashion-mnist: 4 of 4 files found nowhere. Tried:\n  - a <folder>"


class Reader(html.parser.HTMLParser):
    """What a browser would make of the page: tags with their attributes, and texts by tag."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.texts = [], [], {}
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in ("meta", "img"):
            self.open.append((tag, len(self.texts.setdefault(tag, []))))
            self.texts[tag].append("")

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag, f"</{tag}> closes another tag"

    def handle_data(self, data):
        for tag, number in self.open:
            self.texts[tag][number] += data

    def named(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def test_the_page_needs_nothing_else(cheap):
    """Every image is in it, nothing is fetched or run, every tag is closed, every link arrives."""
    text, _ = cheap
    reader = Reader(text)
    assert not reader.open and not reader.named("script") and not reader.named("link")
    images = reader.named("img")
    assert len(images) == 4
    for image in images:
        kind, data = re.fullmatch(r"data:image/(svg\+xml|png);base64,(.*)", image["src"]).groups()
        data = base64.b64decode(data)
        assert data.startswith(b"\x89PNG" if kind == "png" else b"<?xml")
        assert len(image["alt"]) > 20
    without_pictures = re.sub(r'src="data:[^"]*"', "", text)
    assert not re.search(r"https?://|\bsrc=|url\(|@import|\son\w+=", without_pictures)
    ids = {attributes["id"] for _, attributes in reader.tags if "id" in attributes}
    links = [a["href"].removeprefix("#") for a in reader.named("a")]
    assert links == [f"chapter-{i}" for i in range(1, len(CHEAP) + 1)] and set(links) <= ids
    assert "prefers-color-scheme: dark" in text and 'name="viewport"' in text


def test_every_chapter_and_example_is_on_it(cheap):
    text, said = cheap
    reader = Reader(text)
    chapters = [tour.load(name) for name in CHEAP]
    assert reader.texts["h2"] == [c.title for c in chapters]
    assert reader.texts["h3"] == [e.title for c in chapters for e in c.examples]
    for number, (line, chapter) in enumerate(zip(said, chapters, strict=False), 1):
        assert line.startswith(f" {number}/{len(CHEAP)}  {chapter.title}") and line.endswith(" s")
    assert said[-1].startswith("written to ") and "tour.html" in said[-1]


def test_the_code_on_the_page_is_the_code_that_runs(cheap):
    """Run what the page shows, as text and nothing else: it gives what the example returned."""
    reader = Reader(cheap[0])
    shown = iter(reader.texts["code"])
    for name in CHEAP:
        everything, known = {}, {"data_dir": None}
        for example in tour.load(name).examples:
            source = next(s for s in shown if example.code in s)
            exec(source, everything)
            outcome = example.run(known)
            known |= outcome.values
            for key, value in outcome.values.items():
                if page.is_number(value):
                    assert page.plain(everything[key]) == page.plain(value), (name, key)


def test_the_numbers_on_the_page_are_those_of_the_run():
    """Not those of another run: an example that counts its runs."""
    runs, chapter = [], Chapter("Counting", "Before.")

    @chapter.example("One", "This is run {count}, and {third:.3f} is a third.")
    def one():
        runs.append(1)
        count, third = len(runs), len(runs) / 3
        printed, rows = np.array([count, 0.123456]), [{"a": count, "b": third}]
        return {"count": count, "third": third, "printed": printed, "rows": rows}

    for number in (1, 2):
        told = chapter.run()
        text = page.render([told], {"processor": "a <processor>", "seconds": 12.3})
        reader = Reader(text)
        assert f"This is run {number}, and {number / 3:.3f} is a third." in reader.texts["p"]
        assert f"printed = [{number}.    , 0.1235]" in " ".join(reader.texts["pre"])
        assert reader.texts["td"] == [str(number), f"{number / 3:.4g}"]
        assert "count = " not in " ".join(reader.texts["pre"][1:]), "it stands in the sentence"
        assert "a <processor>" in "".join(reader.texts["p"])


def test_two_runs_give_the_same_but_for_the_seconds(cheap, tmp_path):
    """Numbers and pictures, to the last byte."""
    path = tour.run(tmp_path / "again.html", contents=CHEAP[:2], say=lambda line: None)
    sections = []
    for text in (cheap[0], path.read_text()):
        (section,) = re.findall(r'<section id="chapter-2">.*?</section>', text, re.DOTALL)
        section, seconds = re.subn(r">\d+\.\d s<", "", section)
        assert seconds == 1 and section.count("<img ") == 3
        sections.append(section)
    assert sections[0] == sections[1]


@pytest.mark.parametrize("name", tour.CONTENTS)
def test_nothing_is_computed_out_of_sight(name):
    """The code shown is all of the function but its last line, which hands over variables and does
    nothing else; a chapter's file holds imports, the chapter and its examples, no more."""
    chapter = tour.load(name)
    for example in chapter.examples:
        assert isinstance(example.returned, ast.Dict), example.title
        assert all(isinstance(value, ast.Name) for value in example.returned.values), example.title
        names = {
            key.value: value.id
            for key, value in zip(example.returned.keys, example.returned.values, strict=True)
        }
        assert all(key == value for key, value in names.items()), "its own name"
        assert example.tells | set(example.captions) <= set(names), "told and not returned"
        (ran,) = ast.parse(textwrap.dedent(inspect.getsource(example.function))).body
        shown = ast.parse(example.code).body
        assert [ast.dump(node) for node in shown] == [ast.dump(node) for node in ran.body[:-1]]
    source = ast.parse((FOLDER / f"{name}.py").read_text()).body
    kinds = (ast.Import, ast.ImportFrom, ast.Assign, ast.FunctionDef)
    assert all(isinstance(node, kinds) for node in source[1:])
    assert len([n for n in source if isinstance(n, ast.FunctionDef)]) == len(chapter.examples)


def test_every_chapter_file_is_in_the_contents():
    files = {path.stem for path in FOLDER.glob("[a-z]*.py")}
    assert files == set(tour.CONTENTS) and len(tour.CONTENTS) == len(files)


def test_without_the_data_set_the_page_says_so(tmp_path, monkeypatch):
    """It names what was tried, and goes on."""

    def nowhere(folder=None):
        raise DatasetNotFoundError(NOWHERE, [])

    monkeypatch.setattr(datasets, "fashion_mnist", nowhere)
    said = []
    path = tour.run(tmp_path / "t.html", contents=("images", "neuron"), say=said.append)
    reader = Reader(path.read_text())
    assert NOWHERE in reader.texts["pre"]
    assert not reader.named("img") and "The flu" in reader.texts["h3"]
    assert said[0].endswith("left out: " + NOWHERE.splitlines()[0])


def test_the_command(tmp_path, monkeypatch, capsys):
    """--without-images, --output, and everything on the CPU, whether there is a GPU or not."""
    used, build = set(), Sequential.build

    def noted(model, *arguments):
        used.add(model.device)
        return build(model, *arguments)

    monkeypatch.setattr(Sequential, "build", noted)
    monkeypatch.setattr("dnn.devices.gpu_available", lambda: True)
    monkeypatch.setattr(tour, "CONTENTS", ("neuron", "images"))
    path = tmp_path / "page.html"
    assert main(["tour", "--without-images", "--output", str(path)]) == 0
    first, second, last = capsys.readouterr().out.splitlines()
    assert first.startswith(" 1/2  A neuron") and "left out: " in second
    assert last.startswith(f"written to {path} (0.0 MB, ")
    (missing,) = [text for text in Reader(path.read_text()).texts["pre"] if "left" in text]
    assert "--without-images" in missing
    assert used == {"cpu"}


def test_highlighting_changes_no_character():
    source = 'x = {"a": 1.5}  # <b> & "c"\nfor i in (1, 2):\n    """t\nwo"""\n'
    marked = code.highlighted(source)
    assert html.unescape(re.sub(r"</?span[^>]*>", "", marked)) == source
    assert '<span class="k">for</span>' in marked and '<span class="n">1.5</span>' in marked
    assert '<span class="c"># &lt;b&gt; &amp; "c"</span>' in marked


@pytest.mark.sweep
def test_the_whole_tour(tmp_path):
    """Every chapter, on a page under 5 MB, without a number that is none."""
    path = tour.run(tmp_path / "tour.html")
    assert path.stat().st_size < 5e6
    reader = Reader(path.read_text())
    assert len(reader.texts["h2"]) == len(tour.CONTENTS)
    assert not re.search(r"\bnan\b|\binf\b", " ".join(reader.texts["p"] + reader.texts["td"]))
