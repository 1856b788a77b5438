"""What the hub's own client reads from a model card: prints its front matter as JSON.

    python test/judge/check_card.py README.md
"""

import json
import sys

from huggingface_hub import ModelCard


def main() -> None:
    card = ModelCard.load(sys.argv[1])
    json.dump(card.data.to_dict(), sys.stdout)


if __name__ == "__main__":
    main()
