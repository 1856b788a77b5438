import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Chromium's driver, used unless the user names another. */
const softwareDriver = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** Inserts vulkanMemory.c in front of the driver that VK_DRIVER_FILES names. */
export function countingDriver() {
  const folder = resolve('.cache/bench');
  mkdirSync(folder, { recursive: true });
  const [library, manifest, peak] = ['vulkanMemory.so', 'vulkanMemory.json', 'vulkanPeak'].map((name) => `${folder}/${name}`);
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-Wall', '-o', library, 'bench/vulkanMemory.c', '-ldl', '-lpthread']);
  writeFileSync(manifest, JSON.stringify({ file_format_version: '1.0.0', ICD: { library_path: library, api_version: '1.0.5' } }));
  const behind = process.env.VK_DRIVER_FILES ?? softwareDriver;
  const { library_path: path } = JSON.parse(readFileSync(behind, 'utf8')).ICD;
  return {
    env: {
      VK_DRIVER_FILES: manifest,
      VULKAN_DRIVER: path.startsWith('.') ? resolve(dirname(behind), path) : path,
      VULKAN_PEAK: peak,
      XDG_RUNTIME_DIR: process.env.XDG_RUNTIME_DIR ?? '/tmp',
    },
    /** The peak of the process that ended last. */
    peakBytes: () => Number(readFileSync(peak, 'utf8')),
  };
}
