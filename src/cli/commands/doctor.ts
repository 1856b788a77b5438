import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { version } from '../../../package.json';
import { cacheFolder, modelsFolder } from '../../files/cacheFolder.js';
import { freeDiskBytes } from '../../files/freeDisk.js';
import { t } from '../../l10n/text.js';
import { availableMemoryBytes } from '../../runtime/memory/available.js';
import type { EngineInfo } from '../../runtime/engineInfo.js';
import { failureReason } from '../../runtime/failureReason.js';
import { exitCodes, type ExitCode } from '../interrupt.js';
import type { CommandContext } from '../runCommand.js';
import { bytes, table } from '../format.js';

interface Finding {
  readonly ok: boolean;
  readonly what: string;
  /** How to get what is missing. */
  readonly remedy: string | null;
}

/** Fine-tuning the demo's 135M model stays well below these. */
const needed = { memoryBytes: 3e9, diskBytes: 1e9 };

/** Examines the machine; exits with 1 if something would prevent training. */
export async function doctor({ output }: CommandContext): Promise<ExitCode> {
  const machine = await examine();
  const findings = judge(machine);
  output.emit({ ...machine, findings });
  output.say(
    table([
      ['LoRA Workbench', machine.version],
      ['Node.js', t`${machine.node} on ${machine.platform}`],
      [t`Processor`, processorInWords(machine)],
      [t`Memory`, t`${bytes(machine.memoryFreeBytes)} free of ${bytes(machine.memoryTotalBytes)}`],
      ['ONNX Runtime', machine.engine?.version ?? t`not loaded`],
      [t`Execution providers`, machine.engine?.providers.join(', ') ?? t`none`],
      [t`Trains on`, machine.engine?.deviceReason ?? t`nothing`],
      [t`Cache folder`, t`${machine.cacheFolder} (${bytes(machine.diskFreeBytes)} free)`],
      [t`Models in it`, machine.models.join(', ') || t`none yet`],
    ]),
  );
  output.say();
  for (const { ok, what, remedy } of findings) {
    output.say(`${ok ? '✓' : '✗'} ${what}`);
    if (remedy) output.say(`  ${remedy}`);
  }
  return findings.every(({ ok }) => ok) ? exitCodes.done : exitCodes.failed;
}

function processorInWords({ processor, threads }: Machine): string {
  return threads === 1 ? t`${processor}, 1 thread` : t`${processor}, ${threads} threads`;
}

interface Machine {
  readonly version: string;
  readonly node: string;
  readonly platform: string;
  readonly processor: string;
  readonly threads: number;
  readonly memoryTotalBytes: number;
  readonly memoryFreeBytes: number;
  readonly engine: EngineInfo | null;
  /** Why there is no engine. */
  readonly engineProblem: string | null;
  readonly cacheFolder: string;
  readonly diskFreeBytes: number;
  readonly models: readonly string[];
}

async function examine(): Promise<Machine> {
  return {
    version,
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    processor: cpus()[0]?.model.trim() ?? t`unknown processor`,
    threads: availableParallelism(),
    memoryTotalBytes: totalmem(),
    memoryFreeBytes: availableMemoryBytes(),
    ...(await loadEngine()),
    cacheFolder: cacheFolder(),
    diskFreeBytes: freeDiskBytes(cacheFolder()),
    models: existsSync(modelsFolder()) ? readdirSync(modelsFolder()).filter((name) => !name.includes('.part')) : [],
  };
}

/** ONNX Runtime's native library cannot be loaded on every system; if loading fails, the system's error explains why. */
async function loadEngine(): Promise<Pick<Machine, 'engine' | 'engineProblem'>> {
  try {
    return { engine: await (await import('../../runtime/engineInfo.js')).engineInfo(), engineProblem: null };
  } catch (error) {
    return { engine: null, engineProblem: failureReason(error) };
  }
}

function judge(machine: Machine): Finding[] {
  return [
    finding(
      machine.engine !== null,
      t`ONNX Runtime can be loaded.`,
      t`ONNX Runtime cannot be loaded: ${machine.engineProblem ?? ''}.`,
      t`Run \`npm ci\` again; on Linux it needs glibc 2.28 or newer (Alpine has none), on Windows the Visual C++ runtime.`,
    ),
    finding(
      machine.memoryFreeBytes >= needed.memoryBytes,
      t`At least ${bytes(needed.memoryBytes)} of memory are free, enough to fine-tune a small model.`,
      t`Less than ${bytes(needed.memoryBytes)} of memory are free, which a small model may need to be fine-tuned.`,
      t`Close other programs, or lower train.batch_size and data.max_seq_length.`,
    ),
    finding(
      machine.diskFreeBytes >= needed.diskBytes,
      t`At least ${bytes(needed.diskBytes)} are free where models are kept.`,
      t`Less than ${bytes(needed.diskBytes)} are free where models are kept.`,
      t`Free some space, or set LORA_WORKBENCH_CACHE to a folder on another disk.`,
    ),
    ...gpuFinding(machine.engine),
  ];
}

/** Not a failure, because a CPU is enough for small models. */
function gpuFinding(engine: EngineInfo | null): Finding[] {
  if (engine?.device !== 'cpu') return [];
  const remedy =
    process.platform === 'linux'
      ? t`A GPU needs its vendor’s driver with Vulkan, and the package libvulkan1.`
      : t`A GPU needs an up-to-date driver.`;
  return [{ ok: true, what: t`Training is done by the CPU; a GPU that WebGPU reaches would be faster.`, remedy }];
}

function finding(ok: boolean, what: string, otherwise: string, remedy: string): Finding {
  return ok ? { ok, what, remedy: null } : { ok, what: otherwise, remedy };
}
