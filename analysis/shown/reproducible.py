"""What makes two runs of a notebook identical byte for byte: the environment it runs in, and what is kept of it.

Between two runs on one machine nothing differs but accidents: process numbers, addresses, clocks, folders, the order
in which threads add. Some are kept from happening (`environment`), the others are taken out of the result
(`normalised`). Across machines the last bit of exp or tanh may differ; no setting here changes that.
"""

import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

# A figure's SVG identifiers are random unless they are salted; its date comes from SOURCE_DATE_EPOCH.
MATPLOTLIBRC = "svg.hashsalt: actapprox\n"

FIXED = {
    "COLUMNS": "100",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "LINES": "40",
    "MKL_NUM_THREADS": "1",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "NUMEXPR_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # else the debugger warns, or not, depending on how Python was built
    "PYTHONHASHSEED": "0",
    "PYTHONUTF8": "1",
    "SOURCE_DATE_EPOCH": "0",
    "TZ": "UTC",
    # the kernel is the one of this environment, whatever kernels the user has registered
    "JUPYTER_PREFER_ENV_PATH": "1",
}
PERSONAL = {
    *("FORCE_COLOR", "NO_COLOR", "JUPYTER_COLUMNS", "JUPYTER_LINES"),  # the look of tables
    *("JUPYTER_PATH", "PYTHONSTARTUP", "PYTHONWARNINGS"),
}


def environment(inherited: dict[str, str], private: Path) -> dict[str, str]:
    """The variables for a kernel: those of the user, less what would show in a figure.

    `private` is an empty folder for what Jupyter, IPython and matplotlib would otherwise read and write at home. The
    kernel imports the project that runs it, wherever else one is installed.
    """
    settings = private / "matplotlibrc"
    settings.write_text(MATPLOTLIBRC, encoding="utf-8")
    fonts = Path(sys.prefix, "matplotlib")  # made with the environment; a scan of the fonts announces itself if slow
    return {
        **{name: value for name, value in inherited.items() if name not in PERSONAL},
        **FIXED,
        "IPYTHONDIR": str(private / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(private),
        "MATPLOTLIBRC": str(settings),
        "MPLCONFIGDIR": str(fonts if fonts.is_dir() else private),
        "PYTHONPATH": str(ROOT),
    }


def normalised(notebook: Any, places: dict[str, str]) -> str:
    """The text of an executed notebook without what a second run would write differently.

    `places` maps the folders of this run to what stands for them. Masked are the addresses in default reprs
    (``<Axes at 0x7f..>``, but not hexadecimal results), the temporary file that a warning calls its cell, and the
    identifiers of widgets, which are numbered as they appear.
    """
    import nbformat

    notebook.metadata.pop("papermill", None)
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.id = "injected-parameters"
    text = nbformat.writes(notebook)
    for place, name in sorted(places.items(), key=lambda item: -len(item[0])):
        spelled = re.escape(json.dumps(place, ensure_ascii=False)[1:-1])
        text = name.join(re.split(rf"{spelled}(?![\w-])", text))
    text = re.sub(r"(?<= at )0x[0-9a-f]+(?=>)", "0x0", text)
    text = re.sub(re.escape(tempfile.gettempdir()) + r"/ipykernel_\d+/\d+\.py", "cell", text)
    seen: dict[str, str] = {}
    return re.sub(r'(?<="model_id": ")\w+', lambda found: seen.setdefault(found[0], f"widget-{len(seen) + 1}"), text)
