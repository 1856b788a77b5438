"""Edit distances and similarities of suggestions and truths, by rapidfuzz.

    python test/golden/make_completion.py

completion.json   pairs of texts with `ratio` (fuzz.ratio, the edit similarity of RepoBench and CrossCodeEval, as a share), `full`
                  (Levenshtein distance) and `optimal` (that of the closest beginning of the suggestion)
"""

import random

import rapidfuzz
from golden import output_folder, write_json
from rapidfuzz.distance import Levenshtein

PIECES = ["return ", "total", "items", "(", ")", ".map(", "=> ", "x", " + ", "1", ";\n", "\n    ", "if ", "{", "}", "über", "变量", "'a'", ""]
FIXED = [("", ""), ("", "return x;"), ("return x;", ""), ("return x;", "return x;"), ("return x;\nreturn y;", "return x;"), ("y", "x")]


def text(generator: random.Random) -> str:
    return "".join(generator.choices(PIECES, k=generator.randint(0, 24)))


def changed(original: str, generator: random.Random) -> str:
    """The text with a part replaced, as suggestions usually are."""
    start, end = sorted(generator.randint(0, len(original)) for _ in range(2))
    return original[:start] + "".join(generator.choices(PIECES, k=2)) + original[end:] + generator.choice(["", text(generator)])


def scored(suggestion: str, truth: str) -> dict:
    beginnings = (suggestion[:length] for length in range(len(suggestion) + 1))
    return {
        "suggestion": suggestion,
        "truth": truth,
        # rapidfuzz gives 0 for two empty texts; there, nothing differs.
        "ratio": rapidfuzz.fuzz.ratio(suggestion, truth) / 100 if suggestion or truth else 1.0,
        "full": Levenshtein.distance(suggestion, truth),
        "optimal": min(Levenshtein.distance(beginning, truth) for beginning in beginnings),
    }


def main() -> None:
    out = output_folder(__doc__)
    generator = random.Random(28)
    truths = [text(generator) for _ in range(40)]
    pairs = FIXED + [(changed(truth, generator), truth) for truth in truths] + [(text(generator), truth) for truth in truths[:20]]
    write_json(out / "completion.json", {"pairs": [scored(*pair) for pair in pairs]})


if __name__ == "__main__":
    main()
