"""The table of sites: where each instruction that can be reported comes from."""

import json
import re


def table(module, instructions) -> str:
    """The C++ array, one row for each instruction."""
    rows = [f"  {row(module, i)}," for i in instructions]
    return "\n".join(["const Site sites[] = {", *(rows or ["  {}"]), "};"])


def row(module, instruction) -> str:
    file, line, inlined = source(module, instruction.location)
    inlined = quoted(inlined) if inlined else "nullptr"
    text = quoted(str(instruction))
    return f"{{{quoted(file)}, {text}, {inlined}, {line}, {instruction.line}}}"


def source(module, location) -> tuple[str, int, str]:
    """The file and line to show to a user, and the chain of inlined calls ("" if there is none).

    A kernel's own file is that of the outermost call; the innermost line in it is what its author
    knows. ("", 0, "") without line information.
    """
    if location is None:
        return "", 0, ""
    chain = [at for at in location.chain() if at.line]
    if not chain:
        return module.files.get(location.file, ""), 0, ""
    own = next(at for at in chain if at.file == chain[-1].file)
    names = [f"{module.files.get(at.file, '?').rpartition('/')[2]}:{at.line}" for at in chain]
    return module.files.get(own.file, ""), own.line, " < ".join(names) if len(chain) > 1 else ""


def plain_name(mangled) -> str:
    """The name that C++ source gives an array inside a function: _ZZ6kernelvE4tile is `tile`.

    Source: Itanium C++ ABI, <local-name>; other names are returned as they are.
    """
    if mangled.startswith("_ZZ"):
        for match in re.finditer(r"E(\d+)", mangled):
            name = mangled[match.end() :][: int(match[1])]
            rest = mangled[match.end() + len(name) :]
            if len(name) == int(match[1]) and re.fullmatch(r"(_\d|__\d+_)?", rest):
                return name
    return mangled


def quoted(text) -> str:
    """A C++ string literal."""
    return json.dumps(text, ensure_ascii=False)
