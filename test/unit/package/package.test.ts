import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { unzipSync } from 'fflate';
import { beforeAll, describe, expect, test } from 'vitest';

/** The native files of each platform, as shipped by onnxruntime-node. */
const natives = {
  'linux-x64': ['libonnxruntime.so.1', 'onnxruntime_binding.node'],
  'linux-arm64': ['libonnxruntime.so.1', 'onnxruntime_binding.node'],
  'win32-x64': ['DirectML.dll', 'dxcompiler.dll', 'dxil.dll', 'onnxruntime.dll', 'onnxruntime_binding.node'],
  'win32-arm64': ['DirectML.dll', 'dxcompiler.dll', 'dxil.dll', 'onnxruntime.dll', 'onnxruntime_binding.node'],
  'darwin-arm64': ['libonnxruntime.1.dylib', 'onnxruntime_binding.node'],
};
const vsixOf = (target: string) => `build/vsix/lora-workbench-${target}.vsix`;

beforeAll(() => {
  execFileSync(process.execPath, ['scripts/package.mjs', '--no-build'], { stdio: ['ignore', 'ignore', 'inherit'] });
}, 240_000);

describe.each(Object.entries(natives))('%s', (target, binaries) => {
  test('holds its own native files and no others, the programs, and no sources', () => {
    const { names, text } = openVsix(target);
    const folder = `extension/dist/node_modules/onnxruntime-node/bin/napi-v6/${target.replace('-', '/')}`;
    const isNative = (name: string) => /\.(node|dll|dylib|so(\.\d+)*)$/.test(name);
    expect(names.filter(isNative).sort()).toEqual(binaries.map((name) => `${folder}/${name}`).sort());
    expect(names).toEqual(
      expect.arrayContaining(
        [
          'dist/extension.js',
          'dist/languageClient.js',
          'dist/backend.js',
          'dist/cli.js',
          'dist/webview/fineTune.js',
          'dist/webview/webview.css',
        ]
          .concat([
            'dist/webview/codicon.ttf',
            'dist/runConfig.schema.json',
            'package.json',
            'package.nls.zh-cn.json',
            'l10n/bundle.l10n.zh-cn.json',
          ])
          .map((name) => `extension/${name}`),
      ),
    );
    expect(names.filter((name) => /\.(ts|map|test\.js|gguf|safetensors)$|\/(src|test|bench|\.cache)\//.test(name))).toEqual([]);
    expect(text('extension.vsixmanifest')).toContain(`TargetPlatform="${target}"`);
  });
});

test('its programs ask for nothing that is not in the package', () => {
  const { names, text } = openVsix('linux-x64');
  const programs = ['extension', 'languageClient', 'backend', 'cli'];
  // A require within quotation marks is text, because Ajv generates programs.
  const calls = programs.flatMap((name) => [...text(`extension/dist/${name}.js`).matchAll(/(?<!['"`])\brequire\("([^"]+)"\)/g)]);
  const foreign = [...new Set(calls.map((call) => call[1]!))].filter(
    (name) => !name.startsWith('node:') && !builtinModules.includes(name),
  );
  expect(foreign.sort()).toEqual(['./languageClient.js', 'onnxruntime-node', 'vscode']);
  expect(names).toContain('extension/dist/node_modules/onnxruntime-node/package.json');
  expect(names).toContain('extension/dist/node_modules/onnxruntime-common/package.json');
});

test('linux-x64 is at most 30 MB', () => {
  expect(statSync(vsixOf('linux-x64')).size).toBeLessThanOrEqual(30e6);
});

/** Unpacks small files only. */
function openVsix(target: string) {
  const names: string[] = [];
  const files = unzipSync(readFileSync(vsixOf(target)), {
    filter: ({ name, originalSize }) => {
      names.push(name);
      return originalSize < 8e6;
    },
  });
  return { names, text: (name: string) => Buffer.from(files[name]!).toString('utf8') };
}
