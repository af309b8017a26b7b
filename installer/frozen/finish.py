"""What is done to the frozen folder: stand-ins, doubles, licences, and the list of what is in it."""

from __future__ import annotations

import json
import shutil
import sys
from collections import defaultdict
from pathlib import Path

from frozen import libraries, licences, stand_ins
from frozen.contents import FALLBACK

# Said in CONTENTS.txt, so that nobody has to look for what is not there.
LEFT_OUT = (
    "triton (compiles GPU kernels; needs a compiler)",
    "tests, headers, static libraries, type stubs and example data of all libraries",
    "CUDA's profilers, its solver for several GPUs, its transports between machines",
    "NCCL, NVSHMEM and cuSPARSELt (several GPUs at once, 2:4 sparse matrices): small stand-ins answer with an error",
    "Qt's browser, QML, 3-D, PDF viewer and database drivers; napari's console with IPython and Jupyter",
)


def finish(program: Path, work: Path) -> None:
    """Finish the folder `program`; `work` holds ``collected.json`` of the spec."""
    inside = program / "_internal"
    saved = 0
    if sys.platform == "linux":
        (inside / "fallback" / "order.txt").write_text("\n".join(FALLBACK) + "\n", encoding="ascii")
        shutil.copyfile(Path(__file__).with_name("fonts.conf"), inside / "fallback" / "fonts.conf")
        if (inside / "torch" / "lib" / "libtorch_cuda.so").is_file():
            stand_ins.write(inside, work / "stand_ins")
        libraries.drop_dead_links(inside)
        print("Nobody asks for:", *libraries.drop_orphans(inside), flush=True)
        libraries.check_complete(program)
        saved = libraries.link_doubles(inside) + libraries.strip(inside)
    collected = {entry[0]: Path(entry[1]) for entry in json.loads((work / "collected.json").read_text("utf-8"))}
    components = licences.write(inside / "sensiview" / "_bundled" / "resources" / "licences", inside, collected)
    text = summary(program, len(components), saved)
    (program / "CONTENTS.txt").write_text(text, encoding="utf-8")
    print(text, flush=True)


def summary(program: Path, components: int, saved: int) -> str:
    """What is in the folder, by size."""
    sizes: dict[str, int] = defaultdict(int)
    files = 0
    for path in program.rglob("*"):
        if path.is_file() and not path.is_symlink():
            files += 1
            sizes[part_of(path.relative_to(program).parts)] += path.stat().st_size
    total = sum(sizes.values())
    lines = [f"SensiView's folder holds {total / 1e9:.2f} GB in {files:,} files, made of {components} components."]
    lines += ["", "In it (MB):"]
    shown = sorted(sizes.items(), key=lambda item: (-item[1], item[0]))
    lines += [f"  {size / 1e6:8.1f}  {name}" for name, size in shown if size >= 2e6]
    lines += [f"  {sum(size for _, size in shown if size < 2e6) / 1e6:8.1f}  everything else", "", "Not in it:"]
    lines += [f"  {line}" for line in LEFT_OUT]
    lines += [
        f"  {saved / 1e6:.1f} MB of libraries that would lie there twice, and of tables for linkers and debuggers"
    ]
    return "\n".join(lines) + "\n"


def part_of(parts: tuple[str, ...]) -> str:
    """The library a file belongs to, in words for the list."""
    if parts[0] != "_internal":
        return "the program and the Python modules of all libraries" if parts[0] == "sensiview" else parts[0]
    inside = parts[1:]
    if len(inside) == 1:
        return "system libraries" if ".so" in inside[0] else "Python's own modules"
    top = inside[0].removesuffix(".libs")
    if top == "nvidia":
        return f"CUDA: {inside[-1].split('.')[0]}"
    if top == "lib" or top.startswith("python3"):
        return "Python's own modules"
    return "licences" if "licences" in inside else top
