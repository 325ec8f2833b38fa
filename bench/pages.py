"""Writes the tables and the picture that the records give: python -m bench report.

README.md                            what stands between its two markers: three rows
bench/README.md                      likewise: every op
bench/results/<device>/report.md     every case
bench/results/<device>/overview.png  pictures.py

kernels/README.md has a block of the same kind, which ladder.py writes.
"""

from pathlib import Path

from bench import provenance, records, report

BEGIN = "<!-- python -m bench report writes from here -->"
END = "<!-- to here -->"
PAGES = {"README.md": report.front, "bench/README.md": report.summary}
"""What stands between the markers of each."""


def between(text, page="README.md", begins=BEGIN) -> tuple[str, str, str]:
    """(before, generated, after) of a page's text; begins: the line before what is generated."""
    before, begin, rest = text.partition(begins)
    generated, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{page}: expected the lines {begins!r} and {END!r}; put them back")
    return before, generated.strip("\n"), after


def write(results=records.RESULTS, root=provenance.ROOT) -> list[Path]:
    """Everything; root: the folder of PAGES. Returns the files written."""
    from bench import pictures

    everything, results, written = records.read(results), Path(results), []
    texts = {page: (Path(root) / page).read_text(encoding="utf-8") for page in PAGES}
    parts = {page: between(text, page) for page, text in texts.items()}
    for page, (before, _, after) in parts.items():
        path = Path(root) / page
        text = f"{before}{BEGIN}\n\n{PAGES[page](everything)}\n\n{END}{after}"
        path.write_text(text, encoding="utf-8")
        written.append(path)
    for device, mine in report.cases(everything).items():
        folder, limit = results / provenance.slug(device), report.limits(everything, device)
        path = folder / "report.md"
        path.write_text(report.full(device, mine, limit), encoding="utf-8")
        written.append(path)
        written.append(pictures.overview(device, mine, folder / "overview.png"))
    return written
