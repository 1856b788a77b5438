import { hostname } from 'node:os';
import { join } from 'node:path';
import crc32c from 'crc-32/crc32c.js';
import protobuf from 'protobufjs';
import { appendToFile, makeFolder } from '../files/atomicWrite.js';
import type { Metric } from '../protocol/run.js';

// The fields of event.proto and summary.proto that scalars need:
// https://github.com/tensorflow/tensorboard/tree/master/tensorboard/compat/proto
const { root } = protobuf.parse(
  `
  syntax = "proto3";
  message Summary {
    message Value { string tag = 1; float simple_value = 2; }
    repeated Value value = 1;
  }
  message Event {
    double wall_time = 1;
    int64 step = 2;
    oneof what { string file_version = 3; Summary summary = 5; }
  }
`,
  { keepCase: true },
);
const Event = root.lookupType('Event');

/** Writes the scalars that TensorBoard shows, in one events file for each process that trained the run. */
export class TensorBoardWriter {
  private readonly path: string;

  constructor(
    folder: string,
    private readonly now: () => number = Date.now,
  ) {
    makeFolder(folder);
    const seconds = Math.floor(this.now() / 1000);
    this.path = join(folder, `events.out.tfevents.${seconds}.${hostname()}.${process.pid}`);
    this.append({ file_version: 'brain.Event:2' });
  }

  write(metric: Metric): void {
    this.append({ step: metric.step, summary: { value: scalars(metric) } });
  }

  private append(event: object): void {
    const wall_time = this.now() / 1000;
    appendToFile(this.path, record(Event.encode(Event.fromObject({ wall_time, ...event })).finish()));
  }
}

function scalars(metric: Metric): { tag: string; simple_value: number }[] {
  if ('eval_loss' in metric) return [{ tag: 'eval/loss', simple_value: metric.eval_loss }];
  return [
    { tag: 'train/loss', simple_value: metric.loss },
    { tag: 'train/learning_rate', simple_value: metric.learning_rate },
    { tag: 'train/grad_norm', simple_value: metric.grad_norm },
    { tag: 'train/tokens_per_second', simple_value: metric.tokens_per_second },
  ];
}

/** TFRecord: uint64 length, its checksum, the data, its checksum (https://www.tensorflow.org/tutorials/load_data/tfrecord). */
function record(data: Uint8Array): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(data.length));
  return Buffer.concat([length, maskedChecksum(length), data, maskedChecksum(data)]);
}

function maskedChecksum(data: Uint8Array): Buffer {
  const crc = crc32c.buf(data) >>> 0;
  const rotated = ((crc >>> 15) | (crc << 17)) >>> 0;
  const masked = Buffer.alloc(4);
  masked.writeUInt32LE((rotated + 0xa282ead8) >>> 0);
  return masked;
}
