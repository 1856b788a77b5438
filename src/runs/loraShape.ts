import type { LoraShape } from '../core/adapters/lora.js';
import { linearNames } from '../core/models/linears.js';
import type { LoraConfig } from '../protocol/runConfig.js';

export function loraShape({ r, alpha, target_modules, layers, use_rslora }: LoraConfig): LoraShape {
  const targetModules = linearNames.filter((linear) => target_modules.includes(linear));
  return { r, alpha, targetModules, layers, useRslora: use_rslora };
}
