"""What goes into the frozen program and what stays out, each with its reason; read by ``sensiview.spec``."""

from __future__ import annotations

import sys
from fnmatch import fnmatch

# Whole packages: SensiView itself finds its parts by looking into packages, and plugins of users may import
# any module of the libraries that their authors were promised, not only those that we import.
WHOLE = (
    "sensiview",
    "torch",
    "torchvision",
    "numpy",
    "scipy",
    "pandas",
    "xarray",
    "SALib",
    "nibabel",
    "nilearn",
    "sklearn",
    "skimage",
    "PIL",
    "tifffile",
    "pydicom",
    "pylibjpeg",
    "openjpeg",
    "jpeg_ls",
    "safetensors",
    "pydantic",
    "openpyxl",
    "pyarrow.parquet",
    "pyarrow.csv",
    "pyqtgraph",
    "vispy",
    "napari",
    "napari_builtins",
    "napari_resources",
    "npe2",
    "superqt",
    "matplotlib",
)

# Modules that never run here. The tests of libraries are left out by `is_left_out`.
EXCLUDED = (
    # Compiles GPU kernels for torch.compile, which needs a C compiler on the user's machine; nothing here compiles.
    "triton",
    # Terminals and notebooks: napari's console is not part of our window.
    "IPython", "ipykernel", "jedi", "parso", "debugpy", "qtconsole", "napari_console", "jupyter_client",
    "jupyter_core", "zmq", "tornado", "prompt_toolkit",
    # Another toolkit, other Qt bindings, and Qt's browser.
    "tkinter", "_tkinter", "PyQt5", "PyQt6", "PySide2", "wx",
    "PySide6.QtWebEngineCore", "PySide6.QtWebEngineWidgets", "PySide6.QtWebEngineQuick", "PySide6.QtWebView",
    # Tools of developers.
    "pytest", "_pytest", "sphinx", "setuptools", "pip", "build", "hatchling", "mypy", "ruff", "PyInstaller", "Cython",
    "idlelib", "lib2to3", "turtledemo", "ensurepip", "distutils",
    # Parts of Python whose libraries have licences that bind the whole (GPL, Sleepycat), and NIS, which nobody has.
    "readline", "_dbm", "_gdbm", "dbm.ndbm", "dbm.gnu", "nis",
)  # fmt: skip

# Modules by pattern: tests of libraries, and what asks for programs that are not bundled.
_MODULES_OUT = (
    "*.tests", "*.tests.*", "*.test", "*.test.*", "*.conftest", "test", "test.*",
    # 12 MB of PyTorch's own test helpers; they import expecttest and hypothesis.
    "torch.testing._internal*",
    "torch.utils.tensorboard*", "torch.utils.benchmark*",
    "torch._inductor.kernel.vendored_templates*",
    # Backends of vispy for other toolkits.
    "vispy.app.backends._[!pot]*", "vispy.testing*", "vispy.ext.*.tests*",
    "napari._tests*", "napari.*._tests*", "napari.benchmarks*", "napari.conftest",
    "pyqtgraph.examples*", "pyqtgraph.jupyter*", "vispy.ipython*", "npe2._pytest_plugin", "superqt.*._tests*",
    "numpy.f2py.tests*", "numpy.distutils*", "scipy.*._tests*", "matplotlib.backends.backend_[!as]*",
)  # fmt: skip

# Files by pattern: what is only for compiling, only for profiling, only for several machines, or twice there.
_FILES_OUT = (
    "*.a", "*.h", "*.hpp", "*.cuh", "*.c", "*.cpp", "*.pyx", "*.pxd", "*.pxi", "*.f90", "*.bc", "*.cmake",
    "*.lib", "*.g4", "torchgen/*", "nvidia/*/include/*", "nvidia/*/cccl/*", "numpy/_core/lib/*",
    "numpy/_core/include/*", "OpenGL/DLLS/*", "sympy/parsing/autolev/test-examples/*", "joblib/test/*",
    "matplotlib/backends/web_backend/*",
    "*/tests/*", "*/_tests/*", "*/test_data/*", "*/testdata/*", "*/testing/data/*",
    "torch/include/*", "torch/share/*", "torch/bin/[!t]*", "torch/bin/test*", "torch/test/*",
    "torch/lib/libshm_windows/*",
    # torch.jit reads the sources of networks; those of compilers and of training on several machines it does not.
    "torch/_inductor/*.py", "torch/_dynamo/*.py", "torch/distributed/*.py", "torch/testing/*.py", "torch/onnx/*.py",
    "torch/ao/*.py", "torch/_vendor/*.py",
    # CUDA: profilers, the linear solver for several GPUs, drop-in replacements for Fortran BLAS and FFTW,
    # direct reading from network disks, transports between machines.
    "*libnvperf_*", "*libpcsamplingutil*", "*libcheckpoint*", "*libcusolverMg*", "*libnvblas*", "*libcufftw*",
    "*libcufile_rdma*", "*nvshmem_transport_*", "*nvshmem_bootstrap_*",
    # Arrow over the network and between engines: tables are read from files.
    "*libarrow_flight*", "*libarrow_python_flight*", "*libarrow_s3*", "pyarrow/_flight.*",
    "pyarrow/_s3fs.*", "pyarrow/_gcsfs.*", "pyarrow/_azurefs.*", "pyarrow/_hdfs.*",
    "pyarrow/include/*", "pyarrow/src/*",
    # Of Qt: the browser, 3-D, QML, drivers of databases and of screens without a desktop, its own translations (the
    # window speaks English). GTK's file dialogs come through the desktop's portal, which needs no second toolkit here.
    "*Qt6WebEngine*", "*QtWebEngine*", "*qtwebengine*", "*Qt6Quick*", "*Qt6Qml*", "*/qml/*", "*Qt6Pdf*", "*libqpdf*",
    "*Qt6Designer*", "*Qt6VirtualKeyboard*", "*platforminputcontexts/*virtualkeyboard*",
    "*/sqldrivers/*", "*libQt6Sql*", "*Qt6DataVisualization*", "*QtDataVisualization*", "*libqgtk3*",
    "*libqlinuxfb*", "*libqvnc*", "*libqvkkhrdisplay*", "*libqminimal*", "*qeglfs*", "*Qt6EglF*",
    "*egldeviceintegrations*", "PySide6/Qt/plugins/generic/*", "PySide6/Qt/translations/*",
    # What an environment says about itself (with paths of the build), and licence texts, which lie in one place.
    "*.dist-info/RECORD", "*.dist-info/INSTALLER", "*.dist-info/REQUESTED", "*.dist-info/direct_url.json",
    "*.dist-info/licenses/*", "*.dist-info/LICEN*", "*.dist-info/sboms/*",
    "skimage/data/*.png", "skimage/data/*.jpg", "skimage/data/*.tif", "skimage/data/*.zip", "skimage/data/*.npy",
    "matplotlib/mpl-data/sample_data/*", "pydicom/data/test_files/*", "nibabel/nicom/tests/*",
)  # fmt: skip
# Some of them all the same: PyTorch reads the comments of its own settings when it is loaded.
_FILES_KEPT = ("torch/*config*.py",)

# Libraries of the system that its own OpenGL drivers use as well: an older one of ours in their place can keep a newer
# driver from loading. They lie in the folder `fallback` and serve only where the system has none (start.py).
# The order is that of loading.
FALLBACK = (
    "libgcc_s.so.1", "libstdc++.so.6", "libXau.so.6", "libXdmcp.so.6", "libxcb.so.1", "libX11.so.6",
    "libX11-xcb.so.1", "libXext.so.6", "libfreetype.so.6", "libfontconfig.so.1", "libGLdispatch.so.0", "libGLX.so.0",
    "libEGL.so.1", "libOpenGL.so.0", "libGL.so.1", "libwayland-client.so.0", "libwayland-cursor.so.0",
    "libwayland-egl.so.1",
)  # fmt: skip


def is_left_out(module: str) -> bool:
    """Whether a module stays out of the frozen program."""
    return any(module == name or module.startswith(f"{name}.") for name in EXCLUDED) or any(
        fnmatch(module, pattern) for pattern in _MODULES_OUT
    )


def is_file_left_out(destination: str) -> bool:
    """Whether a file stays out; `destination` is its path in the program's folder, with slashes."""
    if any(fnmatch(destination, pattern) for pattern in _FILES_KEPT):
        return False
    return any(fnmatch(destination, pattern) for pattern in _FILES_OUT)


def standard_library() -> list[str]:
    """Every public module of Python's library: a plugin may import any of them."""
    from PyInstaller.utils.hooks import collect_submodules

    packages = ("asyncio", "collections", "concurrent", "ctypes", "curses", "dbm", "email", "encodings", "html",
                "http", "importlib", "json", "logging", "multiprocessing", "sqlite3", "tomllib", "unittest", "urllib",
                "wsgiref", "xml", "xmlrpc", "zoneinfo")  # fmt: skip
    found = [name for name in sys.stdlib_module_names if not name.startswith("_") and not is_left_out(name)]
    for package in packages:
        found += collect_submodules(package, filter=lambda name: not is_left_out(name), on_error="ignore")
    # Modules of other systems are named everywhere; PyInstaller passes over what is not there.
    return sorted(set(found))
