"""Small libraries in place of large ones that PyTorch must find when it is loaded and that SensiView never calls.

PyTorch's libraries name NCCL and NVSHMEM (talk between GPUs) and cuSPARSELt (2:4 sparse matrices) as needed, together
0.5 GB. A stand-in has the same name and the functions that PyTorch looks up; each answers with the library's own code
for an error, which PyTorch turns into an exception. One worker uses one GPU, so nothing here asks for them.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

# File in the program's folder, the code that means "not supported here", how the functions' names begin, and the
# version that the linker knows them by.
_REPLACED = (
    ("nvidia/nccl/lib/libnccl.so.2", 3, "nccl", ""),  # ncclInternalError
    ("nvidia/cusparselt/lib/libcusparseLt.so.0", 10, "cusparseLt", ""),  # CUSPARSE_STATUS_NOT_SUPPORTED
    ("nvidia/nvshmem/lib/libnvshmem_host.so.3", 7, "nvshmem", "NVSHMEM"),  # NVSHMEMX_ERROR_INTERNAL
)
# Those that return a text or an address instead of a code.
_TEXTS = ("ncclGetErrorString", "ncclGetLastError")
_ADDRESSES = ("nvshmem_malloc", "nvshmem_ptr", "nvshmemx_mc_ptr")
_SENTENCE = "the packaged SensiView uses one GPU per worker and has no NCCL"


def write(inside: Path, work: Path) -> None:
    """Replace the libraries below `inside`; `work` keeps the sources.

    Raises
    ------
    RuntimeError
        PyTorch no longer asks for a library, so that the list here is out of date.
    """
    work.mkdir(parents=True, exist_ok=True)
    users = sorted((inside / "torch" / "lib").glob("libtorch*.so"))
    for file, code, prefix, symbols in _REPLACED:
        target = inside / file
        names = sorted({name for user in users for name in missing(user) if name.startswith(prefix)})
        if not target.is_file() or not names:
            raise RuntimeError(f"PyTorch does not use {target.name} any more: adapt installer/frozen/stand_ins.py.")
        source = work / f"{target.name}.c"
        source.write_text("".join(function(name, code) for name in names), encoding="ascii")
        versions = work / f"{target.name}.map"
        versions.write_text(f"{symbols} {{ global: *; }};\n", encoding="ascii")
        target.unlink()
        # No build id and no version of the compiler: the same sources give the same file.
        command = ["gcc", "-shared", "-fPIC", "-Os", "-s", "-fno-ident", "-nostdlib", "-Wl,--build-id=none"]
        command += [f"-Wl,-soname,{target.name}", *([f"-Wl,--version-script={versions.name}"] if symbols else [])]
        subprocess.run([*command, "-o", str(target), source.name], cwd=work, check=True)


def missing(library: Path) -> list[str]:
    """The functions a library expects elsewhere."""
    listed = subprocess.run(["nm", "-D", "--undefined-only", str(library)], check=True, capture_output=True, text=True)
    return [line.split()[-1].split("@")[0] for line in listed.stdout.splitlines() if line.strip()]


def function(name: str, code: int) -> str:
    """One function in C."""
    if name in _TEXTS:
        return f'const char *{name}(void) {{ return "{_SENTENCE}"; }}\n'
    if name in _ADDRESSES:
        return f"void *{name}(void) {{ return 0; }}\n"
    return f"int {name}(void) {{ return {code}; }}\n"
