"""tokenizer.model files of SentencePiece and in the layout of LLaMA 3, and the ids that their own rules give.

    python test/golden/make_tokenizer_models.py

tokenizer-models/KIND.model   bpe: like LLaMA 1 and 2; bpe-extra: spaces removed, own symbols, no bytes; unigram: like T5;
                              unigram-bytes: without the first space; ranks: LLaMA 3
tokenizer-models/KIND.json    texts with their ids: by SentencePiece, or by joining the pair of the lowest rank as tiktoken does
"""

import base64
import io
import json
import random

import regex
import sentencepiece
from golden import MODELS, VERSIONS, output_folder, write_json
from sentencepiece import SentencePieceProcessor, SentencePieceTrainer
from sentencepiece.sentencepiece_model_pb2 import ModelProto

VERSIONS |= {"sentencepiece": sentencepiece.__version__}
OUT = output_folder(__doc__.splitlines()[0]) / "tokenizer-models"

TRAINING = [text for texts in json.loads((MODELS / "tiny_corpus.json").read_text()).values() for text in map(str, texts)] + [
    "今天天气很好，我们去公园散步。微调让小模型学会新的本领。",
    "for (let i = 0; i < 10; i++) {\n    total += values[i];\n}\n",
]
TEXTS = [
    "",
    " ",
    "   ",
    "Hello world",
    "  leading, doubled   and trailing  ",
    "\tdef add(a, b):\n        return a + b\n\n\nprint(add(12, 345678))\n",
    "It's we're 'S 'LL WE'RE",
    "今天天气很好，ＡＢＣ１２３ ﬁ ½ ² Ⅷ é e\u0301 ㌔ ｶﾞ \ufeff",
    "😀 👨\u200d👩\u200d👧 한국어 日本語 ~～〜",
    "a\u00a0b\u3000c\u2028d\u0085e\u200bf\u00adg",
    "a[SEP]b [SEP] c[SEP][CLS]  [CLS]d ",
    "▁ meta▁space <0x41>",
    "loss" * 30,
]
ALPHABET = "  \t\n\u3000\u00a0aeinorstlABC129½三你，。😀é\u0301'-=ｶﾞﬁⅧ"
PATTERN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"

KINDS = {
    "bpe": dict(model_type="bpe", byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=False, vocab_size=400),
    "bpe-extra": dict(
        model_type="bpe",
        normalization_rule_name="identity",
        remove_extra_whitespaces=True,
        user_defined_symbols=["[SEP]", "[CLS]"],
        vocab_size=500,
        pad_id=3,
    ),
    "unigram": dict(
        model_type="unigram",
        normalization_rule_name="nmt_nfkc",
        user_defined_symbols=["[SEP]", "[CLS]"],
        vocab_size=400,
        bos_id=-1,
        pad_id=0,
        eos_id=1,
        unk_id=2,
    ),
    "unigram-bytes": dict(
        model_type="unigram",
        byte_fallback=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        add_dummy_prefix=False,
        allow_whitespace_only_pieces=True,
        user_defined_symbols=["[SEP]", "[CLS]", "\n"],
        vocab_size=600,
    ),
}


def texts() -> list[str]:
    rng = random.Random(11)
    return TEXTS + ["".join(rng.choice(ALPHABET) for _ in range(rng.randint(1, 40))) for _ in range(120)]


def make_pieces(kind: str, settings: dict) -> None:
    model = io.BytesIO()
    lines = [line for text in TRAINING for line in text.split("\n")]
    SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=model, character_coverage=0.995, num_threads=1, minloglevel=2, **settings
    )
    # The last bits of trained probabilities differ from processor to processor.
    proto = ModelProto.FromString(model.getvalue())
    for piece in proto.pieces:
        piece.score = round(piece.score, 2)
    rounded = proto.SerializeToString(deterministic=True)
    write(kind, rounded, SentencePieceProcessor(model_proto=rounded).encode)


def words(text: str) -> list[bytes]:
    return [word.encode() for word in regex.findall(PATTERN, text)]


def joined(parts: list[bytes], pair: tuple[bytes, bytes]) -> list[bytes]:
    result: list[bytes] = []
    for part in parts:
        if result and (result[-1], part) == pair:
            result[-1] += part
        else:
            result.append(part)
    return result


def make_ranks(count: int) -> None:
    ranks = {bytes([byte]): byte for byte in range(256)}
    corpus = [[bytes([byte]) for byte in word] for text in TRAINING for word in words(text)]
    while len(ranks) < count:
        pairs: dict[tuple[bytes, bytes], int] = {}
        for parts in corpus:
            for pair in zip(parts, parts[1:]):
                pairs[pair] = pairs.get(pair, 0) + 1
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        ranks[best[0] + best[1]] = len(ranks)
        corpus = [joined(parts, best) for parts in corpus]

    def encode(text: str) -> list[int]:
        ids = []
        for word in words(text):
            parts = [bytes([byte]) for byte in word]
            while True:
                ranked = [(ranks.get(a + b), place) for place, (a, b) in enumerate(zip(parts, parts[1:])) if a + b in ranks]
                if not ranked:
                    break
                place = min(ranked)[1]
                parts[place : place + 2] = [parts[place] + parts[place + 1]]
            ids += [ranks[part] for part in parts]
        return ids

    lines = [f"{base64.b64encode(token).decode()} {rank}\n" for token, rank in ranks.items()]
    write("ranks", "".join(lines).encode(), encode)


def write(kind: str, model: bytes, encode) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / f"{kind}.model").write_bytes(model)
    write_json(OUT / f"{kind}.json", {"cases": [{"text": text, "ids": encode(text)} for text in texts()]})


def main() -> None:
    for kind, settings in KINDS.items():
        make_pieces(kind, settings)
    make_ranks(400)


if __name__ == "__main__":
    main()
