"""Token ids, decoded texts, rendered chat templates and loss masks by tokenizers, SentencePiece and transformers.

    python test/golden/make_tokenizers.py

tokenizers/VARIETY.json   a small vocabulary of each kind that LLaMA models have: tokenizer.json, the same as GGUF metadata if
                          GGUF can express it, and the ids and decoded text of each text in the corpus
tokenizers/chat.json      conversations rendered by templates with the features of real ones, and which tokens are the assistant's
"""

import datetime
import io
import json
import random

import sentencepiece
import tokenizers
from golden import MODELS, VERSIONS, output_folder, write_json
from sentencepiece import SentencePieceProcessor, SentencePieceTrainer
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast
from transformers.convert_slow_tokenizer import generate_merges
from transformers.utils import chat_template_utils

VERSIONS |= {"tokenizers": tokenizers.__version__, "sentencepiece": sentencepiece.__version__}
OUT = output_folder(__doc__.splitlines()[0]) / "tokenizers"

TRAINING = [text for texts in json.loads((MODELS / "tiny_corpus.json").read_text()).values() for text in map(str, texts)] + [
    "今天天气很好，我们去公园散步。微调让小模型学会新的本领。",
    "for (let i = 0; i < 10; i++) {\n    total += values[i];\n}\n",
    "    def forward(self, x):\n        return self.w2(self.silu(self.w1(x)) * self.w3(x))\n",
]
TEXTS = [
    "",
    " ",
    "Hello world",
    " leading and trailing  ",
    "def add(a, b):\n    return a + b\n\n\nprint(add(12, 345678))\n",
    "for (const x of xs) {\n\tif (x !== null) y += x ** 2; // ok?\n}\r\n",
    "It's we're they'll I'd don't 'S 'LL WE'RE",
    "今天天气很好，我们去公园散步。第１２章：三百六十五",
    "日本語のテキスト と 한국어 텍스트",
    "😀 👨‍👩‍👧‍👦 🇨🇭 e\u0301 é ﬁ ſ",
    "tabs\t\tand\u00a0no-break\u3000ideographic\u2028line\u0085next\ufeffbom\u200bzero",
    "   \n  \n\n   x\n",
    "a" * 70 + " " * 40 + "=" * 33,
    "١٢٣ ½ ² Ⅷ 3.14e-10 0xFF 1,000,000",
    "<s> not the token? </s><|end|> and <0x0A> ▁meta▁space",
    "x</s> y</s>z",
    "𝒳𝒴 \U0001f9d1\u200d\U0001f680 \u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35 مرحبا",
    "https://example.org/a?b=c&d=%20#e user@example.org C:\\dir\\file.txt",
]
ALPHABET = "  \t\n\r\u0085\ufeff\u3000\u00a0abcABC129²½٣一三你，。😀\u200dé\u0301'smdtLL're_-+=<>/\u200b𝒳Ⅷ▁"
SPECIAL = ["<unk>", "<s>", "</s>", "<|end|>"]
LLAMA3_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def corpus() -> list[str]:
    rng = random.Random(7)
    return TEXTS + ["".join(rng.choice(ALPHABET) for _ in range(rng.randint(1, 40))) for _ in range(120)]


def starts_with_bos() -> processors.TemplateProcessing:
    return processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", SPECIAL.index("<s>"))])


def train_bytes(steps: list, ignore_merges: bool = False) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=640, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(TRAINING, trainer)
    return tokenizer


def train_pieces() -> SentencePieceProcessor:
    """A vocabulary like LLaMA's: BPE with scores, byte fallback, single digits, and runs of spaces kept."""
    model = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter([line for text in TRAINING for line in text.split("\n")]),
        model_writer=model,
        vocab_size=700,
        model_type="bpe",
        byte_fallback=True,
        split_digits=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        allow_whitespace_only_pieces=True,
        user_defined_symbols=["<|end|>"],
        character_coverage=0.995,
        num_threads=1,
        minloglevel=2,
    )
    return SentencePieceProcessor(model_proto=model.getvalue())


def from_pieces(pieces: SentencePieceProcessor, with_metaspace: bool) -> Tokenizer:
    """Converts as transformers does for LLaMA tokenizers: with the original normalizers, or with Metaspace."""
    tokens = [pieces.id_to_piece(id) for id in range(len(pieces))]
    plain = [id for id in range(len(pieces)) if not (pieces.is_control(id) or pieces.is_unknown(id) or pieces.is_byte(id))]
    vocab = {tokens[id]: id for id in plain}
    merges = generate_merges(vocab, {tokens[id]: pieces.get_score(id) for id in plain})
    tokenizer = Tokenizer(
        models.BPE(
            vocab={token: id for id, token in enumerate(tokens)}, merges=merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True
        )
    )
    if with_metaspace:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    else:
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.post_processor = starts_with_bos()
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in SPECIAL])
    return tokenizer


def gguf_bytes(tokenizer: Tokenizer, pre: str) -> dict:
    saved = json.loads(tokenizer.to_str())
    tokens = [tokenizer.id_to_token(id) for id in range(tokenizer.get_vocab_size())]
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": pre,
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [3 if token in SPECIAL else 1 for token in tokens],
        "tokenizer.ggml.merges": [" ".join(pair) for pair in saved["model"]["merges"]],
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
    }


def gguf_pieces(pieces: SentencePieceProcessor) -> dict:
    def token_type(id: int) -> int:
        return 2 if pieces.is_unknown(id) else 3 if pieces.is_control(id) else 6 if pieces.is_byte(id) else 1

    ids = range(len(pieces))
    return {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": [pieces.id_to_piece(id) for id in ids],
        "tokenizer.ggml.scores": [pieces.get_score(id) for id in ids],
        "tokenizer.ggml.token_type": [4 if pieces.id_to_piece(id) == "<|end|>" else token_type(id) for id in ids],
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.unknown_token_id": 0,
    }


def write_variety(name: str, tokenizer: Tokenizer, gguf: dict | None) -> None:
    cases = []
    for text in corpus():
        ids = tokenizer.encode(text).ids
        cases.append({"text": text, "ids": ids, "decoded": tokenizer.decode(ids, skip_special_tokens=True)})
    write_json(OUT / f"{name}.json", {"tokenizer": json.loads(tokenizer.to_str()), "gguf": gguf, "cases": cases})


# Our own templates, with the features that those of LLaMA 2, LLaMA 3, Mistral and ChatML models use.
TEMPLATES = {
    "chatml": """{% for message in messages %}{% if loop.first and message['role'] != 'system' %}{{ '<s>system\nBe brief.<|end|>\n' }}{% endif %}{{ '<s>' + message['role'] + '\n' }}{% generation_if %}{{ message['content'] + '<|end|>' }}{% end_generation_if %}{{ '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<s>assistant\n' }}{% endif %}""",
    "turns": """{{- bos_token }}
{%- if messages[0]['role'] == 'system' %}
    {%- set system = messages[0]['content'] | trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system = '' %}
{%- endif %}
{#- The date, where a template wants it. #}
{%- if strftime_now is defined %}{{- 'Today: ' + strftime_now('%d %b %Y') + '\n' }}{%- endif %}
{%- for message in messages %}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('Turns must alternate') }}
    {%- endif %}
    {%- if message.role == 'user' %}
        {{- '[Q] ' + (system + '\n' if loop.first and system else '') + message.content | trim + ' [/Q]' }}
    {%- else %}
        {%- generation_if %}
        {{- ' ' + message['content'] + eos_token }}
        {%- end_generation_if %}
    {%- endif %}
{%- endfor %}""",
    "features": """{%- macro say(who, what='') -%}
<{{ who | upper }}>{{ what }}
{%- endmacro -%}
{%- set state = namespace(count=0, seen=[]) -%}
{% for message in messages if message.role != 'system' %}
{%- set state.count = state.count + 1 -%}
{{ say(message.role, message.content | replace('a', 'A')) }}{{ ';' if not loop.last }}
{% endfor %}
{{ state.count }} {{ messages | selectattr('role', 'equalto', 'user') | list | length }} {{ messages[-1].content[:3] | tojson }}
{{ {'role': messages[0].role, 'n': [1, 2.5, none, true]} | tojson }} {{ messages[0].get('name', 'nobody') }}
{%- if tools is defined and tools %} tools{% endif %}
{% for i in range(2, 7, 2) %}{{ i }}{% if not loop.last %},{% endif %}{% endfor %} {{ ' x '.strip() ~ ['1', '2'] | join('y') }} {{ 'yes' if 'ab' in 'cabd' else 'no' }}
""",
}
CONVERSATIONS = [
    [{"role": "user", "content": "Hi"}],
    [{"role": "user", "content": "Say a word."}, {"role": "assistant", "content": "Banana"}],
    [
        {"role": "system", "content": "  You know cats.  "},
        {"role": "user", "content": "What is a cat?\n"},
        {"role": "assistant", "content": "\n\nA small animal: 猫 😀"},
        {"role": "user", "content": "And a dog?"},
        {"role": "assistant", "content": " Another."},
    ],
]


class FixedDate(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2024, 7, 26)


def chat_cases(tokenizer: PreTrainedTokenizerFast) -> list[dict]:
    chat_template_utils.datetime = FixedDate
    cases = []
    for name, marked in TEMPLATES.items():
        plain = marked.replace("{% generation_if %}", "").replace("{% end_generation_if %}", "")
        plain = plain.replace("        {%- generation_if %}\n", "").replace("        {%- end_generation_if %}\n", "")
        # transformers' own markers of the assistant's text, placed around assistant turns only.
        generation = marked.replace("{% generation_if %}", "{% if message['role'] == 'assistant' %}{% generation %}")
        generation = generation.replace("{% end_generation_if %}", "{% endgeneration %}{% else %}{{ message['content'] + '<|end|>' }}{% endif %}")
        generation = generation.replace("{%- generation_if %}", "{%- generation %}").replace("{%- end_generation_if %}", "{%- endgeneration %}")
        for messages in CONVERSATIONS:
            case = {"name": name, "template": plain, "messages": messages}
            for prompt in (False, True):
                key = "rendered_with_prompt" if prompt else "rendered"
                case[key] = tokenizer.apply_chat_template(
                    messages, chat_template=plain, add_generation_prompt=prompt, tokenize=False
                )
            if "generation_if" in marked and messages[-1]["role"] == "assistant":
                encoded = tokenizer.apply_chat_template(
                    messages, chat_template=generation, return_dict=True, return_assistant_tokens_mask=True
                )
                case["ids"], case["assistant"] = encoded["input_ids"], encoded["assistant_masks"]
            cases.append(case)
    return cases


def main() -> None:
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    smollm = train_bytes([pre_tokenizers.Digits(individual_digits=True), byte_level])
    write_variety("smollm", smollm, gguf_bytes(smollm, "smollm"))
    split = pre_tokenizers.Split(Regex(LLAMA3_PATTERN), behavior="isolated")
    llama3 = train_bytes([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)], ignore_merges=True)
    llama3.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), starts_with_bos()])
    write_variety("llama3", llama3, gguf_bytes(llama3, "llama-bpe"))
    pieces = train_pieces()
    write_variety("sentencepiece", from_pieces(pieces, with_metaspace=False), gguf_pieces(pieces))
    write_variety("metaspace", from_pieces(pieces, with_metaspace=True), None)
    own = [{"text": text, "ids": pieces.encode(text)} for text in corpus() if not any(token in text for token in SPECIAL)]
    write_json(OUT / "sentencepiece-own.json", {"cases": own})
    fast = PreTrainedTokenizerFast(tokenizer_object=llama3, bos_token="<s>", eos_token="</s>", unk_token="<unk>")
    write_json(OUT / "chat.json", {"cases": chat_cases(fast)})


if __name__ == "__main__":
    main()
