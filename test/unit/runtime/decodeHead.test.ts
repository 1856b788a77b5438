import { expect, test } from 'vitest';
import { shapes } from '../../../bench/shapes.js';
import { decodeHeadProgram } from '../../../src/core/generate/decodePrograms.js';
import { optimize } from '../../../src/core/graph/fuse.js';
import { openModel } from '../../../src/files/openModel.js';
import { BindingLimit } from '../../../src/runtime/bindingLimit.js';
import { CpuDevice } from '../../../src/runtime/cpuDevice.js';
import { headConstants, headForm, readHead } from '../../../src/runtime/decodeConstants.js';
import { headSliceRows } from '../../../src/runtime/decoder.js';
import { expectClose } from '../../support/tensors.js';

test.each(['F32', 'Q8_0', 'Q4_1'] as const)(
  'tables of 1B and 8B models in %s come in slices that every GPU reaches',
  async (form) => {
    const limit = new BindingLimit(() => Promise.resolve(0));
    for (const config of [shapes['llama-3.2-1b'], shapes['llama-3.1-8b']]) {
      const { program } = decodeHeadProgram(config, headSliceRows(config, form, 'webgpu'), form);
      await limit.check(optimize(program));
      expect(headSliceRows(config, form, 'cpu')).toBe(config.vocabSize);
    }
  },
);

test.each(['fp32', 'int8', 'int4'] as const)('logits of slices in %s are those of the whole', async (dtype) => {
  const { weights } = openModel('test/fixtures/models/tiny-llama');
  const { config } = weights;
  const device = new CpuDevice(1);
  const hidden = Float32Array.from({ length: 3 * config.hiddenSize }, (_, i) => Math.sin(i));
  const logits = async (firstRow: number, rows: number): Promise<Float32Array> => {
    const { program, dynamicAxes } = decodeHeadProgram(config, rows, headForm(weights, dtype));
    const executable = await device.compile(program, {
      constants: () => headConstants(weights, program, readHead(weights, dtype, { firstRow, rows })),
      dynamicAxes,
    });
    const x = await device.upload('float32', [1, 3, config.hiddenSize], hidden);
    const results = await executable.run(
      new Map([
        ['x', x],
        ['indices', await device.upload('int32', [1], Int32Array.of(2))],
      ]),
    );
    await executable.dispose();
    return device.download(results.get('logits')!);
  };
  const all = await logits(0, config.vocabSize);
  expectClose(await logits(0, 200), all.subarray(0, 200), 1e-6, 'the first rows');
  expectClose(await logits(200, config.vocabSize - 200), all.subarray(200), 1e-6, 'the others');
});
