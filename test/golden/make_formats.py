"""Model files by the gguf and safetensors libraries, and what transformers reads from them, for test/unit/formats and test/unit/files.

    python test/golden/make_formats.py

formats/types.safetensors       one tensor of each type that PyTorch and safetensors share, an empty tensor and a scalar
formats/floats.safetensors      fp32 numbers, the same rounded to f16 and bf16, and these widened again
formats/blocks.gguf             random blocks of every GGUF type that we read, and metadata of every kind
formats/blocks.safetensors      the same blocks, decoded by the gguf library
formats/VARIETY.gguf            the models of test/fixtures as llama.cpp's converter writes them; they must read back the same
formats/quantized.gguf          a tiny LLaMA in Q8_0, Q4_1, Q5_0 and F16
formats/quantized.safetensors   its weights as transformers loads them
formats/models.json             the rotary frequencies of each of these models in transformers
"""

from importlib.metadata import version

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Type
from golden import MODELS, VERSIONS, load_model, output_folder, write_json, write_tensors
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM, PreTrainedConfig, PreTrainedModel

VERSIONS |= {"gguf": version("gguf"), "numpy": np.__version__}
OUT = output_folder(__doc__.splitlines()[0]) / "formats"

BLOCK_TYPES = [Type[name] for name in "Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q2_K Q3_K Q4_K Q5_K Q6_K".split()]
# The offsets of a block's half-precision scales, which must not be NaN.
SCALES = {
    "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0],
    "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208],
}  # fmt: skip

PARTS = {
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "pre_feedforward_layernorm": "ffn_norm",
    "post_feedforward_layernorm": "post_ffw_norm",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
}
# Model types whose q and k rows llama.cpp's converter permutes.
PERMUTED = {"llama", "smollm3"}


def write_safetensors_types() -> None:
    generator = torch.Generator().manual_seed(1)
    numbers = 100 * torch.randn((3, 5), generator=generator)
    types = {
        "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "F8_E4M3": torch.float8_e4m3fn,
        "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool,
    }  # fmt: skip
    tensors = {name: numbers.to(dtype) for name, dtype in types.items()}
    write_tensors(OUT / "types.safetensors", tensors | {"empty": torch.zeros((0, 4)), "scalar": torch.tensor(0.5)})


def write_floats() -> None:
    generator = torch.Generator().manual_seed(2)
    magnitudes = 2.0 ** torch.randint(-28, 16, (1500,), generator=generator)
    # Half a unit in a half-precision number's last place: ties, which must be rounded to even.
    ties = (1 + (2 * torch.arange(64) + 1) / 2048.0) * 2.0 ** torch.arange(-14, 2).repeat(4)
    tiny = (torch.arange(64) + 0.5) * 2.0**-24
    edges = torch.tensor([0.0, -0.0, 65504, 65519, -65519, 2.0**-14, 2.0**-24, 2.0**-25, 3 * 2.0**-25, 2.0**-26])
    values = torch.cat([magnitudes * torch.randn(1500, generator=generator).clamp(-0.99, 0.99), ties, -tiny, edges])
    half, brain = values.half(), values.bfloat16()
    assert half.isfinite().all()
    tensors = {"float32": values, "float16": half, "bfloat16": brain}
    write_tensors(OUT / "floats.safetensors", tensors | {"from_float16": half.float(), "from_bfloat16": brain.float()})


def random_blocks(kind: Type, rows: int, blocks: int, rng: np.random.Generator) -> np.ndarray:
    """[rows, bytes]: arbitrary bits, with scales that are finite halves of either sign, including subnormal ones."""
    block_bytes = gguf.GGML_QUANT_SIZES[kind][1]
    data = rng.integers(0, 256, (rows * blocks, block_bytes), dtype=np.uint8)
    for at in SCALES[kind.name]:
        scales = (rng.standard_normal(len(data)) * 10.0 ** rng.integers(-7, 2, len(data))).astype(np.float16)
        data[:, at : at + 2] = scales.view(np.uint8).reshape(-1, 2)
    return data.reshape(rows, -1)


def write_blocks() -> None:
    rng = np.random.default_rng(3)
    writer = gguf.GGUFWriter(OUT / "blocks.gguf", "none")
    writer.add_uint8("test.uint8", 200)
    writer.add_int8("test.int8", -100)
    writer.add_uint16("test.uint16", 60000)
    writer.add_int16("test.int16", -30000)
    writer.add_uint32("test.uint32", 4_000_000_000)
    writer.add_int32("test.int32", -2_000_000_000)
    writer.add_uint64("test.uint64", 2**64 - 1)
    writer.add_int64("test.int64", -(2**63))
    writer.add_float32("test.float32", 0.15625)
    writer.add_float64("test.float64", 0.1)
    writer.add_bool("test.true", True)
    writer.add_bool("test.false", False)
    writer.add_string("test.string", "\ufeff▁微调 😀")
    writer.add_array("test.strings", ["", "a", "<0x0A>"])
    writer.add_array("test.floats", [0.5, -1.5])
    writer.add_array("test.nested", [[1, 2], [3]])
    decoded = {}
    for kind in BLOCK_TYPES:
        blocks = random_blocks(kind, 3, 2, rng)
        writer.add_tensor(kind.name, blocks, raw_dtype=kind)
        decoded[kind.name] = torch.from_numpy(gguf.dequantize(blocks, kind))
    for kind, dtype in {"F32": np.float32, "F16": np.float16}.items():
        numbers = rng.standard_normal((3, 7)).astype(dtype)
        writer.add_tensor(kind, numbers)
        decoded[kind] = torch.from_numpy(numbers.astype(np.float32))
    brain = torch.from_numpy(rng.standard_normal((3, 7))).bfloat16()
    writer.add_tensor("BF16", brain.view(torch.uint8).numpy(), raw_dtype=Type.BF16)
    decoded["BF16"] = brain.float()
    finish(writer)
    write_tensors(OUT / "blocks.safetensors", decoded)


def finish(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    print(writer.path)


def gguf_name(name: str, parts: dict[str, str]) -> str:
    whole = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight", "lm_head.weight": "output.weight"}
    if name in whole:
        return whole[name]
    _, _, layer, part = name.split(".", 3)
    part, kind = part.rsplit(".", 1)
    return f"blk.{layer}.{parts[part]}.{kind}"


def permuted(rows: torch.Tensor, heads: int) -> torch.Tensor:
    """The rows of q and k in llama.cpp's order: with the halves of each head interleaved."""
    return rows.reshape(heads, 2, -1, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def add_config(writer: gguf.GGUFWriter, config: PreTrainedConfig) -> None:
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    writer.add_key_length(head_dim)
    writer.add_value_length(head_dim)
    writer.add_rope_dimension_count(head_dim)
    rope = rope_of(config)
    writer.add_rope_freq_base(rope["rope_theta"])
    if rope["rope_type"] == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(rope["factor"])
    if config.model_type == "gemma3_text":
        writer.add_sliding_window(config.sliding_window)


def rope_of(config: PreTrainedConfig) -> dict:
    """The parameters of the global layers, if there are local ones."""
    return config.rope_parameters.get("full_attention", config.rope_parameters)


def frequencies(model: PreTrainedModel) -> torch.Tensor:
    rotary = model.model.rotary_emb
    return rotary.full_attention_inv_freq if hasattr(rotary, "full_attention_inv_freq") else rotary.inv_freq


def write_model(name: str, model: PreTrainedModel, stored_type) -> None:
    """`stored_type(tensor name)` determines how a matrix is stored; vectors are fp32."""
    config = model.config
    writer = gguf.GGUFWriter(OUT / f"{name}.gguf", config.model_type.removesuffix("_text"))
    add_config(writer, config)
    if rope_of(config)["rope_type"] == "llama3":
        unscaled = 1 / rope_of(config)["rope_theta"] ** (torch.arange(0, config.head_dim, 2) / config.head_dim)
        writer.add_tensor("rope_freqs.weight", (unscaled / frequencies(model)).float().numpy())
    is_gemma = config.model_type == "gemma3_text"
    parts = PARTS | ({"post_attention_layernorm": "post_attention_norm"} if is_gemma else {})
    for weight, values in model.state_dict().items():
        if weight == "lm_head.weight" and config.tie_word_embeddings:
            continue
        is_permuted = config.model_type in PERMUTED
        if is_permuted and ".q_proj." in weight:
            values = permuted(values, config.num_attention_heads)
        if is_permuted and ".k_proj." in weight:
            values = permuted(values, config.num_key_value_heads)
        kind = stored_type(weight) if values.ndim == 2 else Type.F32
        if is_gemma and "norm" in weight:
            values = values + 1  # as the model computes: x · (1 + w)
        writer.add_tensor(gguf_name(weight, parts), gguf.quantize(values.numpy(), kind), raw_dtype=kind)
    finish(writer)


def check_same(name: str, model: PreTrainedModel) -> None:
    """Checks that transformers' own GGUF reader finds the original weights, so that the order of the rows is the one in use."""
    loaded = AutoModelForCausalLM.from_pretrained(OUT, gguf_file=f"{name}.gguf", dtype=torch.float32).state_dict()
    for weight, values in model.state_dict().items():
        assert torch.equal(values, loaded[weight]), f"{name}: {weight}"


def quantized_model() -> LlamaForCausalLM:
    config = LlamaConfig(
        vocab_size=32, hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=4, num_key_value_heads=2,
        head_dim=16, max_position_embeddings=64, rms_norm_eps=1e-5, tie_word_embeddings=True,
    )  # fmt: skip
    model = LlamaForCausalLM(config).eval()
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return model


def write_models() -> None:
    varieties = {"llama3-rope": Type.BF16, "linear-rope-biases": Type.F32, "qwen2": Type.F32, "qwen3": Type.F32, "smollm3": Type.F32, "gemma3": Type.F32}
    models = {variety: load_model(variety) for variety in varieties}
    for variety, kind in varieties.items():
        write_model(variety, models[variety], lambda _: kind)
    # transformers assumes a head size of 128 for every Qwen3, so it cannot read ours.
    for variety in ["llama3-rope", "qwen2"]:
        check_same(variety, models[variety])

    models["quantized"] = quantized_model()
    kinds = {"embed": Type.F16, "q_proj": Type.Q4_1, "k_proj": Type.Q8_0, "v_proj": Type.Q5_0}
    write_model("quantized", models["quantized"], lambda weight: next((kinds[part] for part in kinds if part in weight), Type.Q8_0))
    loaded = AutoModelForCausalLM.from_pretrained(OUT, gguf_file="quantized.gguf", dtype=torch.float32)
    weights = {name: values for name, values in loaded.state_dict().items() if name != "lm_head.weight"}
    write_tensors(OUT / "quantized.safetensors", weights)
    write_json(OUT / "models.json", {"inverse_frequencies": {name: frequencies(model).tolist() for name, model in models.items()}})


def main() -> None:
    write_safetensors_types()
    write_floats()
    write_blocks()
    write_models()


if __name__ == "__main__":
    main()
