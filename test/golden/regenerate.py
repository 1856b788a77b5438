"""Regenerates every golden with its make_*.py and lists them in manifest.json, which names the files that tests may rely on.

    python test/golden/regenerate.py [--out FOLDER]
"""

import json
import subprocess
import sys
from pathlib import Path

from golden import output_folder

HERE = Path(__file__).parent
NOT_GOLDEN = {".py", ".pyc", ".md", ".ts", ".txt"}


def golden_files(folder: Path) -> list[str]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix not in NOT_GOLDEN]
    return sorted(path.relative_to(folder).as_posix() for path in files if path != folder / "manifest.json")


def main() -> None:
    out = output_folder(__doc__)
    for script in sorted(HERE.glob("make_*.py")):
        print(f"{script.name}:", flush=True)
        subprocess.run([sys.executable, script, "--out", out], check=True)
    (out / "manifest.json").write_text(json.dumps({"files": golden_files(out)}, indent=2) + "\n")


if __name__ == "__main__":
    main()
