"""Regenerates every golden and compares it with the committed one.

    python test/judge/compare_goldens.py

Numbers may differ by 1e-5 of the largest one in their tensor or list, because other processors add in another order, and by 1e-4
after twenty training steps. Everything else must be the same, except for versions. Exits with 1 if something differs.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from safetensors.torch import load_file

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
TOLERANCE, TRAINED_TOLERANCE = 1e-5, 1e-4
VERSION_KEYS = {"versions", "peft_version"}


class Differs(Exception):
    """Describes a difference for the reader of the summary."""


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def relative(committed: list[float], fresh: list[float]) -> float:
    """The largest difference, relative to the largest number."""
    largest = max((abs(number) for number in committed), default=0.0)
    difference = max((abs(old - new) for old, new in zip(committed, fresh, strict=True)), default=0.0)
    return difference / largest if largest else difference


def compare_values(committed: object, fresh: object, where: str) -> float:
    """The largest relative difference between two JSON values."""
    if is_number(committed) and is_number(fresh):
        return relative([committed], [fresh])
    if type(committed) is not type(fresh):
        raise Differs(f"{where}: {type(committed).__name__} became {type(fresh).__name__}")
    if isinstance(committed, dict):
        names = committed.keys() - VERSION_KEYS
        if names != fresh.keys() - VERSION_KEYS:
            raise Differs(f"{where}: other keys: {sorted(names ^ (fresh.keys() - VERSION_KEYS))}")
        return max((compare_values(committed[name], fresh[name], f"{where}.{name}") for name in names), default=0.0)
    if isinstance(committed, list):
        if len(committed) != len(fresh):
            raise Differs(f"{where}: {len(committed)} entries became {len(fresh)}")
        if all(map(is_number, committed)) and all(map(is_number, fresh)):
            return relative(committed, fresh)
        pairs = enumerate(zip(committed, fresh))
        return max(compare_values(old, new, f"{where}[{index}]") for index, (old, new) in pairs)
    if committed != fresh:
        raise Differs(f"{where}: {committed!r} became {fresh!r}")
    return 0.0


def compare_tensors(committed: Path, fresh: Path) -> float:
    old, new = load_file(committed), load_file(fresh)
    if old.keys() != new.keys():
        raise Differs(f"other tensors: {sorted(old.keys() ^ new.keys())}")
    worst = 0.0
    for name in old:
        if old[name].shape != new[name].shape or old[name].dtype != new[name].dtype:
            raise Differs(f"{name}: another shape or type")
        if old[name].numel() == 0:
            continue
        largest = old[name].double().abs().max().item()
        difference = (old[name].double() - new[name].double()).abs().max().item()
        worst = max(worst, difference / largest if largest else difference)
    return worst


def compare(committed: Path, fresh: Path) -> float:
    if committed.suffix == ".json":
        return compare_values(json.loads(committed.read_text()), json.loads(fresh.read_text()), committed.name)
    if committed.suffix == ".safetensors":
        return compare_tensors(committed, fresh)
    if committed.read_bytes() != fresh.read_bytes():
        raise Differs("other bytes")
    return 0.0


def judge(name: str, fresh_folder: Path) -> str | None:
    """Prints a line about one golden; returns what is wrong with it, if anything."""
    tolerance = TRAINED_TOLERANCE if name.startswith("training/") else TOLERANCE
    try:
        if not (GOLDEN / name).exists():
            raise Differs("is missing here: make it with test/golden/regenerate.py and commit it")
        if not (fresh_folder / name).exists():
            raise Differs("was not made afresh")
        difference = compare(GOLDEN / name, fresh_folder / name)
        if not difference <= tolerance:
            raise Differs(f"differs by {difference:.1e} (allowed: {tolerance:.0e})")
    except Differs as reason:
        print(f"✗ {name}: {reason}")
        return str(reason)
    print(f"✓ {name}  {difference:.1e}")
    return None


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, GOLDEN / "regenerate.py", "--out", folder], check=True, stdout=subprocess.DEVNULL)
        committed = set(json.loads((GOLDEN / "manifest.json").read_text())["files"])
        fresh = set(json.loads((Path(folder) / "manifest.json").read_text())["files"])
        wrong = [name for name in sorted(committed | fresh) if judge(name, Path(folder))]
    print(f"{len(committed | fresh) - len(wrong)} goldens agree, {len(wrong)} do not")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
