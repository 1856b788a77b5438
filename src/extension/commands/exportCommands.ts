import * as vscode from 'vscode';
import type { AdapterInfo } from '../../protocol/backend.js';
import { dtypesOfTarget, type ExportDType, type ExportResult, type ExportTarget, type ExportUse } from '../../protocol/export.js';
import { chooseOne } from '../ask.js';
import { chooseUri } from '../browse.js';
import { formatBytes } from '../format.js';
import { revealFolder } from '../revealFolder.js';
import type { Workbench } from '../workbench.js';
import { baseFound, chosenAdapter } from './adapterCommands.js';

/** Asks for a format, a type and a folder, then writes the adapter, or its base with the adapter in it. */
export async function exportAdapter(workbench: Workbench, argument: unknown): Promise<void> {
  const adapter = await chosenAdapter(workbench, argument, vscode.l10n.t('Export which adapter?'));
  const base = adapter && (await baseFound(workbench, adapter));
  if (!base) return;
  const to = await chooseTarget();
  const type = to && (await chooseType(to));
  const folder = type && (await chooseUri('folder', { openLabel: vscode.l10n.t('Export Here') }));
  if (!folder) return;
  const out = await freeName(folder, exportName(adapter, to, type.dtype), to.startsWith('gguf') ? '.gguf' : '');
  const request = { model: base.path, adapter: adapter.path, to, dtype: type.dtype, strength: 1, out: out.fsPath };
  const result = await workbench.work.run('loraWorkbench/export', request, vscode.l10n.t('Exporting {0}', adapter.name));
  // Not awaited, because the command ends here.
  if (result) void showExported(result);
}

async function chooseTarget(): Promise<ExportTarget | undefined> {
  const choices: readonly { readonly label: string; readonly detail: string; readonly value: ExportTarget }[] = [
    {
      label: vscode.l10n.t('Merged model, GGUF'),
      detail: vscode.l10n.t('one file with base and adapter, for llama.cpp, Ollama and LM Studio'),
      value: 'gguf',
    },
    {
      label: vscode.l10n.t('Merged model, safetensors'),
      detail: vscode.l10n.t('a Hugging Face folder with base and adapter, for transformers and vLLM'),
      value: 'merged',
    },
    {
      label: vscode.l10n.t('Adapter, GGUF'),
      detail: vscode.l10n.t('the adapter alone, for llama.cpp next to its base (--lora)'),
      value: 'gguf-lora',
    },
    {
      label: vscode.l10n.t('Adapter, PEFT folder'),
      detail: vscode.l10n.t('the adapter alone, for transformers with PEFT and for vLLM next to its base'),
      value: 'peft',
    },
  ];
  return chooseOne(choices, vscode.l10n.t('Export in which format?'));
}

/** The chosen type; null leaves it to what loses nothing. */
async function chooseType(to: ExportTarget): Promise<{ readonly dtype: ExportDType | null } | undefined> {
  const isAdapter = to === 'gguf-lora' || to === 'peft';
  const lossless = {
    label: isAdapter ? vscode.l10n.t('As it is') : vscode.l10n.t('As the base is stored'),
    detail: vscode.l10n.t('loses nothing'),
    value: { dtype: null },
  };
  const types = dtypesOfTarget[to].map((dtype) => ({ label: dtype, detail: aboutType(dtype), value: { dtype } }));
  return chooseOne<{ readonly dtype: ExportDType | null }>([lossless, ...types], vscode.l10n.t('In which precision?'));
}

function aboutType(dtype: ExportDType): string {
  switch (dtype) {
    case 'f32':
      return vscode.l10n.t('4 bytes a weight, exact');
    case 'f16':
      return vscode.l10n.t('2 bytes a weight, taken everywhere');
    case 'bf16':
      return vscode.l10n.t('2 bytes a weight, the usual type of large models');
    case 'q8_0':
      return vscode.l10n.t('about 1 byte a weight, hardly any loss');
    case 'q4_0':
    case 'q4_1':
      return vscode.l10n.t('about half a byte a weight, with some loss');
  }
}

function exportName(adapter: AdapterInfo, to: ExportTarget, dtype: ExportDType | null): string {
  const name = adapter.name.replaceAll(/[^\p{L}\p{N}._-]+/gu, '-');
  return [name, ...(to === 'merged' ? ['merged'] : []), ...(to === 'gguf-lora' ? ['lora'] : []), ...(dtype ? [dtype] : [])].join(
    '-',
  );
}

/** A name in the folder that nothing has yet: with -2, -3 … if need be. */
async function freeName(folder: vscode.Uri, name: string, ending: string): Promise<vscode.Uri> {
  for (let number = 1; ; number++) {
    const uri = vscode.Uri.joinPath(folder, `${name}${number === 1 ? '' : `-${number}`}${ending}`);
    const isTaken = await vscode.workspace.fs.stat(uri).then(
      () => true,
      () => false,
    );
    if (!isTaken) return uri;
  }
}

async function showExported({ out, sizeBytes, dtype, parity, uses }: ExportResult): Promise<void> {
  const { sameFirst, positions, maxDifference } = parity;
  const where = vscode.l10n.t('Exported to {0} ({1}).', out, formatBytes(sizeBytes));
  const proof = vscode.l10n.t(
    'Compared with base and adapter, it puts the same token first at {0} of {1} places; logits differ by at most {2}.',
    sameFirst,
    positions,
    Number(maxDifference.toPrecision(2)),
  );
  const reveal = vscode.l10n.t('Reveal');
  const copy = vscode.l10n.t('Copy Command…');
  const losesMuch = parity.relativeDifference > parity.tolerance;
  const advice = vscode.l10n.t('This model loses much in {0}: choose a type with more bits.', dtype);
  const show = losesMuch ? vscode.window.showWarningMessage : vscode.window.showInformationMessage;
  const words = [where, proof, ...(losesMuch ? [advice] : [])].join(' ');
  const choice = await show(words, reveal, ...(uses.length > 0 ? [copy] : []));
  if (choice === reveal) await revealFolder(vscode.Uri.file(out), out);
  if (choice === copy) await copyCommand(uses);
}

async function copyCommand(uses: readonly ExportUse[]): Promise<void> {
  const choices = uses.map(({ tool, command }) => ({ label: tool, detail: command, value: command }));
  const command = await chooseOne(choices, vscode.l10n.t('Copy the command for which tool?'));
  if (command !== undefined) await vscode.env.clipboard.writeText(command);
}
