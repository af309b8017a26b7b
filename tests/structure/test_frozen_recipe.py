"""What goes into the packaged program: the recipe's rules, tried on small folders; the real build is tried by CI."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
needs_binutils = pytest.mark.skipif(
    sys.platform != "linux" or not all(map(shutil.which, ("gcc", "objdump", "readelf", "nm", "strip"))),
    reason="gcc or binutils are not installed",
)


@pytest.fixture(autouse=True, scope="module")
def recipe_on_path() -> Iterator[None]:
    """The recipe is no installed package."""
    sys.path.insert(0, str(ROOT / "installer"))
    yield
    sys.path.remove(str(ROOT / "installer"))


def library(path: Path, source: str = "int one(void) { return 1; }", *options: str) -> Path:
    """A shared library of one function."""
    path.parent.mkdir(parents=True, exist_ok=True)
    code = path.with_suffix(".c")
    code.write_text(source, encoding="ascii")
    command = ["gcc", "-shared", "-fPIC", "-nostdlib", f"-Wl,-soname,{path.name}", "-o", str(path), str(code), *options]
    subprocess.run(command, check=True)
    code.unlink()
    return path


def test_that_no_module_and_no_resource_of_ours_is_left_out() -> None:
    from frozen import contents

    for folder in ("sensiview", "resources", "plugins"):
        for path in (ROOT / folder).rglob("*"):
            if not path.is_file() or "__pycache__" in path.parts:
                continue
            relative = path.relative_to(ROOT)
            inside = relative if folder == "sensiview" else Path("sensiview", "_bundled", relative)
            assert not contents.is_file_left_out(inside.as_posix()), inside
            if folder == "sensiview" and path.suffix == ".py":
                assert not contents.is_left_out(".".join(relative.with_suffix("").parts)), relative


@pytest.mark.parametrize(
    "module, out",
    [
        ("triton", True), ("triton.language", True), ("tritonclient", False), ("numpy.tests.test_ctypeslib", True),
        ("numpy.testing", False), ("torch.testing._internal.common_utils", True), ("torch.testing", False),
        ("unittest.mock", False), ("vispy.app.backends._pyside6", False), ("vispy.app.backends._wx", True),
        ("readline", True), ("sklearn.utils._testing", False),
    ],
)  # fmt: skip
def test_that_tests_and_compilers_stay_out_and_what_looks_like_them_goes_in(module: str, out: bool) -> None:
    from frozen import contents

    assert contents.is_left_out(module) is out


@pytest.mark.parametrize(
    "file, out",
    [
        ("torch/include/ATen/ATen.h", True), ("torch/bin/torch_shm_manager", False), ("torch/bin/protoc", True),
        ("torch/_dynamo/eval_frame.py", True), ("torch/_dynamo/config.py", False), ("torch/nn/functional.py", False),
        ("nvidia/cudnn/lib/libcudnn_ops.so.9", False), ("nvidia/cu13/lib/libcusolverMg.so.12", True),
        ("vispy/glsl/markers/markers.vert", False), ("numpy-2.4.6.dist-info/METADATA", False),
        ("numpy-2.4.6.dist-info/RECORD", True), ("nilearn/datasets/data/mni_icbm152_t1.nii.gz", False),
    ],
)  # fmt: skip
def test_that_files_for_compiling_stay_out_and_files_for_running_go_in(file: str, out: bool) -> None:
    from frozen import contents

    assert contents.is_file_left_out(file) is out


@needs_binutils
def test_that_a_library_that_lies_there_twice_becomes_a_link(tmp_path: Path) -> None:
    from frozen import libraries

    first = library(tmp_path / "a" / "libone.so.1")
    (tmp_path / "b").mkdir()
    shutil.copyfile(first, tmp_path / "b" / "libone.so")
    other = library(tmp_path / "b" / "libtwo.so", "int two(void) { return 2; }")
    assert libraries.link_doubles(tmp_path) == first.stat().st_size
    assert (tmp_path / "b" / "libone.so").resolve() == first
    assert not other.is_symlink()


@needs_binutils
def test_that_a_library_nobody_asks_for_goes_with_what_only_it_asked_for(tmp_path: Path) -> None:
    from frozen import libraries

    inside = tmp_path / "_internal"
    library(inside / "libdeep.so.1")
    library(
        inside / "liblost.so.1", "extern int one(void); int lost(void) { return one(); }", str(inside / "libdeep.so.1")
    )
    library(inside / "libused.so.1")
    library(inside / "package" / "module.so", "extern int one(void); int go(void) { return one(); }",
            str(inside / "libused.so.1"))  # fmt: skip
    assert libraries.drop_orphans(inside) == ["libdeep.so.1", "liblost.so.1"]
    libraries.check_complete(tmp_path)
    (inside / "libused.so.1").unlink()
    with pytest.raises(RuntimeError, match=r"libused\.so\.1 for _internal/package/module\.so"):
        libraries.check_complete(tmp_path)


@needs_binutils
def test_that_tables_for_debuggers_go_and_functions_stay(tmp_path: Path) -> None:
    import ctypes

    from frozen import libraries

    many = "\n".join(f"static int hidden_{'x' * 60}_{i}(void) {{ return {i}; }}" for i in range(5000))
    table = ", ".join(f"hidden_{'x' * 60}_{i}" for i in range(5000))
    path = library(
        tmp_path / "libmany.so", f"{many}\nint (*all[])(void) = {{{table}}};\nint one(void) {{ return all[1](); }}"
    )
    before = path.stat().st_size
    assert libraries.strip(tmp_path) == before - path.stat().st_size > 300_000
    assert ctypes.CDLL(str(path)).one() == 1


@needs_binutils
def test_that_a_stand_in_has_every_function_that_is_looked_up_and_answers_with_an_error(tmp_path: Path) -> None:
    import ctypes

    from frozen import stand_ins

    wanted = {
        "nvidia/nccl/lib/libnccl.so.2": ("ncclAllReduce", 3),
        "nvidia/cusparselt/lib/libcusparseLt.so.0": ("cusparseLtInit", 10),
        "nvidia/nvshmem/lib/libnvshmem_host.so.3": ("nvshmem_barrier_all", 7),
    }
    asking = ""
    for file, (name, _) in wanted.items():
        library(tmp_path / file, f"int {name}(void) {{ return 0; }}")
        asking += f"extern int {name}(void); int use_{name}(void) {{ return {name}(); }}\n"
    library(tmp_path / "torch" / "lib" / "libtorch_cuda.so", asking, *(str(tmp_path / file) for file in wanted))
    stand_ins.write(tmp_path, tmp_path / "work")
    for file, (name, code) in wanted.items():
        assert ctypes.CDLL(str(tmp_path / file))[name]() == code


def test_that_the_packages_are_tried_again_when_a_recipe_changes(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "installer", tmp_path / "installer", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    for part in ("__main__.py", "locations.py", "jobs/worker_process.py", "plugin_loading/__init__.py"):
        (tmp_path / "sensiview" / part).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / "sensiview" / part, tmp_path / "sensiview" / part)
    script = ["bash", str(tmp_path / "installer" / "ci_package.sh")]

    def fingerprint() -> str:
        return subprocess.run([*script, "--fingerprint"], check=True, capture_output=True, text=True).stdout.strip()

    before = fingerprint()
    (tmp_path / "installer" / "tried.txt").write_text(f"{before}\n2026-01-01, version 1\n", encoding="ascii")
    assert fingerprint() == before
    said = subprocess.run(script, check=True, capture_output=True, text=True).stdout
    assert "Skipped: nothing under installer/" in said
    assert "2026-01-01, version 1" in said
    with (tmp_path / "installer" / "requirements.txt").open("a", encoding="ascii") as stream:
        stream.write("# changed\n")
    assert fingerprint() != before


@needs_binutils
def test_that_libraries_for_bare_systems_do_not_raise_what_is_asked_of_a_system(tmp_path: Path) -> None:
    from linux import elf_needs

    other = library(tmp_path / "_internal" / "libother.so.1")
    source = "extern int one(void); int two(void) { return one(); }"
    library(tmp_path / "_internal" / "fallback" / "libspare.so.1", source, str(other))
    assert elf_needs.all_needs(tmp_path / "_internal" / "fallback") != []
    assert all("libother.so.1" not in needs.libraries for needs in elf_needs.all_needs(tmp_path))
