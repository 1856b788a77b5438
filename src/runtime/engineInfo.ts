import { env, listSupportedBackends } from 'onnxruntime-node';

export interface EngineInfo {
  readonly version: string;
  /** Execution providers built into this ONNX Runtime; whether the machine has the device is another question. */
  readonly providers: readonly string[];
}

export function engineInfo(): EngineInfo {
  const bundled = listSupportedBackends().filter((backend) => backend.bundled);
  return { version: env.versions.node ?? env.versions.common, providers: bundled.map((backend) => backend.name) };
}
