"""A module as one C++ translation unit: its functions, and the tables that the runtime reads."""

import struct

from kernels.device.emulated.emit import layout, sites
from kernels.device.emulated.emit.function import FunctionEmitter, identifier
from kernels.device.emulated.emit.operation import load_families
from kernels.device.emulated.emit.written import UNKNOWN, written
from kernels.device.emulated.operands import BYTES, Float, Integer, Name, Offset
from kernels.device.emulated.ptx import PTXError

WINDOW_BITS, FIRST_VARIABLE = 40, 128  # as in runtime.h
MOST_VARIABLES = 126


class Unit:
    """Gathers, while functions are emitted, what they share."""

    def __init__(self, module):
        load_families()
        self.module = module
        self.layout = layout.layout(module)
        self.defined = {f.name: f for f in module.functions if f.body is not None}
        self.variables = {v.name: v for v in module.variables if v.space in ("global", "const")}
        self.used = {}  # variable: index
        self.sites = []

    def cpp(self) -> str:
        functions = [FunctionEmitter(self, f) for f in self.defined.values()]
        bodies = [f.cpp() for f in functions]
        heads = [f.head() + ";" for f in functions if not f.is_entry]
        tables = self.variable_table()  # may use further variables
        return "\n\n".join(
            [
                '#include "instructions.h"',
                "namespace {\nusing namespace emu;",
                sites.table(self.module, self.sites),
                "\n".join(heads),
                *bodies,
                tables,
                *(self.shared_table(e) for e in self.module.entries.values()),
                self.entry_table(),
                "}  // namespace",
                self.module_table(),
            ]
        )

    # What functions ask for

    def cpp_name(self, function) -> str:
        return f"{'entry' if function.is_entry else 'function'}_{identifier(function.name)}"

    def callee(self, name) -> str | None:
        function = self.defined.get(name)
        return function and self.cpp_name(function)

    def site(self, instruction) -> int:
        self.sites.append(instruction)
        return len(self.sites) - 1

    def variable_index(self, name) -> int | None:
        if name not in self.variables:
            return None
        index = self.used.setdefault(name, len(self.used))
        if index >= MOST_VARIABLES:
            raise PTXError(self.variables[name].line, f"more than {MOST_VARIABLES} variables")
        return index

    # Tables

    def variable_table(self) -> str:
        data, rows = [], []
        index = 0
        while index < len(self.used):  # an initial value may mention another variable
            variable = self.variables[list(self.used)[index]]
            initial = "nullptr"
            if variable.initial is not None:
                initial = f"initial_{index}"
                words = ", ".join(map(str, self.initial_bytes(variable)))
                data.append(f"alignas(16) const unsigned char {initial}[] = {{{words}}};")
            constant = str(variable.space == "const").lower()
            rows.append(f'  {{"{variable.name}", {initial}, {variable.bytes}, {constant}}},')
            index += 1
        return "\n".join([*data, "const Variable variables[] = {", *(rows or ["  {}"]), "};"])

    def initial_bytes(self, variable) -> bytes:
        size = BYTES[variable.type]
        data = b"".join(self.element(v, size, variable) for v in variable.initial)
        return data.ljust(variable.bytes, b"\0")

    def element(self, value, size, variable) -> bytes:
        match value:
            case Float(bits, width) if width == size:
                return bits.to_bytes(size, "little")
            case Integer(number, _) if variable.type == "f32":
                return struct.pack("<f", number)
            case Integer(number, _) if variable.type == "f64":
                return struct.pack("<d", number)
            case Integer(number, _):
                return (number % 2 ** (8 * size)).to_bytes(size, "little")
            case Name(name) | Offset(Name(name), _):
                index = self.variable_index(name)
                if index is not None and size == 8:
                    offset = value.bytes if isinstance(value, Offset) else 0
                    base = ((FIRST_VARIABLE + index) << WINDOW_BITS) + (1 << (WINDOW_BITS - 1))
                    return (base + offset).to_bytes(8, "little")
        raise PTXError(variable.line, f"{value} is no initial value of {variable.name}")

    def shared_table(self, entry) -> str:
        arrays = layout.static_arrays(self.module, self.layout, entry)
        plain = [sites.plain_name(name) for name, *_ in arrays]
        rows = [
            f'  {{"{short if plain.count(short) == 1 else name}", {offset}, {size}}},'
            for short, (name, offset, size) in zip(plain, arrays, strict=True)
        ]
        name = identifier(entry.name)
        return "\n".join([f"const SharedVariable shared_{name}[] = {{", *(rows or ["  {}"]), "};"])

    def entry_table(self) -> str:
        rows = []
        for entry in self.module.entries.values():
            name = identifier(entry.name)
            count = len(layout.static_arrays(self.module, self.layout, entry))
            mask = written(self.module, entry)
            mask = "~uint64_t{0}" if mask == UNKNOWN else f"{mask}ull"
            rows.append(
                f'  {{"{entry.name}", {self.cpp_name(entry)}, shared_{name}, {count}, '
                f"{self.layout.dynamic}, {mask}}},"
            )
        return "\n".join(["const Entry entries[] = {", *(rows or ["  {}"]), "};"])

    def module_table(self) -> str:
        counts = f"{len(self.sites)}, {len(self.module.entries)}, {len(self.used)}"
        return (
            'extern "C" __attribute__((visibility("default"))) const emu::Module emu_module = {\n'
            f"    sites, entries, variables, {counts}}};\n"
        )
