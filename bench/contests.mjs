// What `npm run bench` compares. Each contest has its commands by name, the one that the others are compared with, and the
// figures that the table shows. Every command prints one line of JSON.

const node = (program, ...args) => ['node', `.cache/bench/${program}.cjs`, ...args];

/** `gguf` is the model file that both ours and llama.cpp run, or null if it is unavailable. */
export function contests({ python, threads, steps, gguf }) {
  const common = ['--threads', threads];
  const train = (...args) => node('train', ...common, '--steps', steps, ...args);
  const peft = (...args) => [python, 'bench/peft_train.py', ...common, '--steps', steps, ...args];
  const growth = (option, values, ...args) =>
    Object.fromEntries(values.map((value) => [`${option} ${value}`, train(`--${option}`, String(value), ...args)]));
  const training = { speed: 'tokens_per_second', wait: 'first_step_seconds' };
  const generation = { speed: 'decode_tokens_per_second', wait: 'first_token_seconds' };

  return {
    training: {
      title: 'LoRA training, SmolLM2-135M shape, rank 8, all seven linears, 2 × 256 tokens, every token a label',
      reference: 'PEFT fp32',
      ...training,
      commands: {
        'ours fp32': train(),
        'ours fp32, checkpointing': train('--gradient-checkpointing'),
        'ours int8 base': train('--base-dtype', 'int8'),
        'ours int8 base, checkpointing': train('--base-dtype', 'int8', '--gradient-checkpointing'),
        'ours fp16 base': train('--base-dtype', 'fp16'),
        'ours int4 base': train('--base-dtype', 'int4'),
        'ours int4 base, checkpointing': train('--base-dtype', 'int4', '--gradient-checkpointing'),
        'PEFT fp32': peft(),
        'PEFT fp32, checkpointing': peft('--gradient-checkpointing'),
        'PEFT bf16': peft('--dtype', 'bf16'),
      },
    },
    instructions: {
      title: 'The same with the labels of instruction data: the last 40 % of each row, the answer',
      reference: 'PEFT fp32',
      ...training,
      commands: {
        'ours fp32': train('--label-share', '0.4'),
        'ours int8 base': train('--label-share', '0.4', '--base-dtype', 'int8'),
        'ours int4 base': train('--label-share', '0.4', '--base-dtype', 'int4'),
        'PEFT fp32': peft('--label-share', '0.4'),
        'PEFT bf16': peft('--label-share', '0.4', '--dtype', 'bf16'),
      },
    },
    rank: {
      title: 'How the cost grows with the rank',
      reference: 'rank 4',
      ...training,
      commands: growth('rank', [4, 8, 16, 64, 256]),
    },
    length: {
      title: 'How the cost grows with the sequence length (one row)',
      reference: 'sequence-length 128',
      ...training,
      commands: growth('sequence-length', [128, 256, 512, 1024, 2048], '--batch-size', '1'),
    },
    layers: {
      title: 'How the cost grows with the number of layers',
      reference: 'layers 10',
      ...training,
      commands: growth('layers', [10, 20, 30]),
    },
    size: {
      title: 'How the cost grows with the model: SmolLM2-135M to the shape of Llama-3.2-1B, int4 base, checkpointing',
      reference: 'shape smollm2-135m',
      ...training,
      commands: growth(
        'shape',
        ['smollm2-135m', 'smollm2-360m', 'llama-3.2-1b'],
        '--base-dtype',
        'int4',
        '--gradient-checkpointing',
      ),
    },
    large: {
      title: 'The shape of Llama-3.2-1B with bases in integers, 1 × 256 tokens, checkpointing',
      reference: 'int4',
      ...training,
      commands: Object.fromEntries(
        ['int4', 'int8'].map((dtype) => [
          dtype,
          train('--shape', 'llama-3.2-1b', '--batch-size', '1', '--base-dtype', dtype, '--gradient-checkpointing'),
        ]),
      ),
    },
    generation: {
      title: 'Greedy decoding: 64 tokens after a prompt of 128, SmolLM2-135M shape, random weights',
      reference: 'transformers fp32',
      ...generation,
      commands: {
        'ours int8': node('generate', ...common, '--dtype', 'int8'),
        'ours int4': node('generate', ...common, '--dtype', 'int4'),
        'ours fp32': node('generate', ...common, '--dtype', 'fp32'),
        'transformers fp32': [python, 'bench/transformers_generate.py', ...common],
      },
    },
    ...(gguf && {
      gguf: {
        title: 'The same on one GGUF file (SmolLM2-135M-Instruct, Q4_1)',
        reference: 'llama.cpp',
        ...generation,
        commands: {
          'ours int8': node('generate', ...common, '--model', gguf, '--dtype', 'int8'),
          'ours int4': node('generate', ...common, '--model', gguf, '--dtype', 'int4'),
          'llama.cpp': ['node', 'bench/llama_cpp.mjs', ...common, '--model', gguf],
        },
      },
      suggestion: {
        title: 'Inline completion: from a key to the first token of a suggestion, 512 tokens of context in the cache',
        reference: 'llama.cpp',
        speed: 'decode_tokens_per_second',
        wait: 'first_suggestion_seconds',
        commands: {
          'ours int8': node('suggest', ...common, '--model', gguf),
          'llama.cpp': ['node', 'bench/llama_cpp.mjs', ...common, '--model', gguf, '--suggest'],
        },
      },
    }),
  };
}
