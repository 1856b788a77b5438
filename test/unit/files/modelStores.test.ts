import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { findModels } from '../../../src/backend/modelCatalog.js';
import { modelPath } from '../../../src/files/cacheFolder.js';
import { loadModel } from '../../../src/files/loadModel.js';
import { openModel } from '../../../src/files/openModel.js';
import { hubModelPath } from '../../../src/files/stores/hubStore.js';
import { ollamaModelPath } from '../../../src/files/stores/ollamaStore.js';
import { baseOf } from '../../../src/protocol/baseOf.js';
import type { AdapterInfo } from '../../../src/protocol/backend.js';
import { modelName } from '../../../src/protocol/modelName.js';

const tinyModel = 'test/fixtures/models/tiny-llama';
const gguf = 'test/golden/formats/quantized.gguf';
const [commit, older] = ['a'.repeat(40), 'b'.repeat(40)];

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'lora-workbench-'));
  vi.stubEnv('HOME', home);
  vi.stubEnv('USERPROFILE', home);
  vi.stubEnv('LORA_WORKBENCH_CACHE', join(home, 'own'));
  for (const name of ['HF_HOME', 'HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE', 'XDG_CACHE_HOME', 'OLLAMA_MODELS'])
    vi.stubEnv(name, '');
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true });
});

const at = (...parts: string[]) => {
  const path = join(home, ...parts);
  mkdirSync(dirname(path), { recursive: true });
  return path;
};
const hub = (...parts: string[]) => at('.cache/huggingface/hub', ...parts);

function inHub(name: string, revision = commit, ref?: string): string {
  const snapshot = hub(`models--${name.replace('/', '--')}`, 'snapshots', revision);
  cpSync(tinyModel, snapshot, { recursive: true });
  if (ref !== undefined) writeFileSync(hub(`models--${name.replace('/', '--')}`, 'refs', ref), revision);
  return snapshot;
}

/** As Ollama leaves it after `ollama pull`. */
function inOllama(name: string, tag: string, root = '.ollama/models'): string {
  const digest = 'c'.repeat(64);
  copyFileSync(gguf, at(root, 'blobs', `sha256-${digest}`));
  const config = { mediaType: 'application/vnd.docker.container.image.v1+json', digest: `sha256:${'d'.repeat(64)}`, size: 5 };
  const model = { mediaType: 'application/vnd.ollama.image.model', digest: `sha256:${digest}`, size: 1 };
  const manifest = at(root, 'manifests/registry.ollama.ai', name.includes('/') ? name : `library/${name}`, tag);
  writeFileSync(manifest, JSON.stringify({ schemaVersion: 2, config, layers: [model] }));
  return manifest;
}

function inLmStudio(file: string, root = '.lmstudio/models'): string {
  copyFileSync(gguf, at(root, file));
  return at(root, file);
}

const found = async () => {
  const { models } = await findModels([], { folders: [], get: () => undefined });
  return models.map(({ name, kind, source, path }) => ({ name, kind, source, path }));
};

describe('the cache of the hub', () => {
  it('shows whole models, also by links, and loads them by name', async () => {
    const path = inHub('owner/tiny', commit, 'main');
    rmSync(join(path, 'model.safetensors'));
    copyFileSync(join(tinyModel, 'model.safetensors'), hub('models--owner--tiny', 'blobs', 'e'.repeat(64)));
    symlinkSync(`../../blobs/${'e'.repeat(64)}`, join(path, 'model.safetensors'));
    expect(await found()).toEqual([{ name: 'tiny', kind: 'huggingface', source: 'hub', path }]);
    const { weights, tokenizer } = loadModel('owner/tiny');
    expect(weights.readFloat32('model.norm.weight').every(Number.isFinite)).toBe(true);
    expect(tokenizer.encode('a').length).toBeGreaterThan(0);
    weights.close();
  });

  it('prefers what main points to, and finds other revisions by their names', async () => {
    const [main, old] = [inHub('owner/tiny', commit, 'main'), inHub('owner/tiny', older, 'v1')];
    utimesSync(old, 2e9, 2e9);
    expect(modelPath('owner/tiny')).toBe(main);
    expect(modelPath('owner/tiny@v1')).toBe(old);
    expect(modelPath(`owner/tiny@${older}`)).toBe(old);
    expect((await found()).map(({ name }) => name)).toEqual(['tiny', 'tiny@bbbbbbb']);
  });

  it('leaves out what is not there whole, is no model, or is of another architecture', async () => {
    rmSync(join(inHub('owner/no-weights'), 'model.safetensors'));
    const sharded = inHub('owner/sharded');
    rmSync(join(sharded, 'model.safetensors'));
    const weight_map = { a: 'model-00001-of-00002.safetensors', b: 'model-00002-of-00002.safetensors' };
    writeFileSync(join(sharded, 'model.safetensors.index.json'), JSON.stringify({ weight_map }));
    writeFileSync(join(sharded, 'model-00001-of-00002.safetensors'), '');
    writeFileSync(join(inHub('owner/bert'), 'config.json'), '{"model_type":"bert"}');
    expect(await found()).toEqual([]);
  });

  it('knows one GGUF by the name of its repository, and one of several by its file', async () => {
    copyFileSync(gguf, hub('models--owner--one', 'snapshots', commit, 'sub', 'x.gguf'));
    for (const name of ['a.gguf', 'b.gguf']) copyFileSync(gguf, hub('models--owner--two', 'snapshots', commit, name));
    expect((await found()).map(({ name }) => name)).toEqual(['a', 'b', 'one']);
    expect(modelPath('owner/one')).toBe(hub('models--owner--one', 'snapshots', commit, 'sub', 'x.gguf'));
    expect(modelPath('owner/two/b.gguf')).toBe(hub('models--owner--two', 'snapshots', commit, 'b.gguf'));
    expect(() => openModel(modelPath('owner/two'))).toThrow('2 .gguf files');
  });

  it.each(['../../own', 'owner/..', 'owner/tiny/../../x', 'owner/tiny@../x', '/etc/passwd', 'owner'])(
    'never leaves it: %s',
    (name) => {
      inHub('owner/tiny');
      expect(hubModelPath(name)).toBeUndefined();
    },
  );

  it.each([
    ['HF_HUB_CACHE', 'elsewhere'],
    ['HF_HOME', 'elsewhere/..'],
  ])('is where %s says', (variable, folder) => {
    vi.stubEnv(variable, join(home, folder));
    const root = variable === 'HF_HOME' ? join(home, folder, 'hub') : join(home, folder);
    cpSync(tinyModel, join(root, 'models--owner--tiny', 'snapshots', commit), { recursive: true });
    expect(modelPath('owner/tiny')).toBe(join(root, 'models--owner--tiny', 'snapshots', commit));
  });
});

describe("Ollama's store", () => {
  it('shows models by name and tag, and opens the blob that the manifest names', async () => {
    const path = inOllama('smollm2', '135m');
    expect(await found()).toEqual([{ name: 'smollm2:135m', kind: 'gguf', source: 'ollama', path }]);
    expect(modelPath('smollm2:135m')).toBe(path);
    const { path: opened, weights } = openModel(path);
    expect(opened).toBe(path);
    expect(weights.config.family).toBe('llama');
    weights.close();
  });

  it('knows latest, other namespaces and OLLAMA_MODELS', () => {
    vi.stubEnv('OLLAMA_MODELS', join(home, 'other'));
    const [latest, mine] = [inOllama('qwen', 'latest', 'other'), inOllama('me/mine', 'v2', 'other')];
    expect(modelPath('qwen')).toBe(latest);
    expect(modelPath('me/mine:v2')).toBe(mine);
  });

  it('opens a blob by itself: a GGUF is known by its first bytes', () => {
    inOllama('smollm2', '135m');
    openModel(at('.ollama/models/blobs', `sha256-${'c'.repeat(64)}`)).weights.close();
    writeFileSync(at('no-model'), 'GGU');
    expect(() => openModel(at('no-model'))).toThrow('is not a model');
  });

  it.each([
    ['not JSON', '{'],
    ['no layers', '{"layers":5}'],
    ['a layer that is nothing', '{"layers":[null,5]}'],
    [
      'a digest that leads elsewhere',
      '{"layers":[{"mediaType":"application/vnd.ollama.image.model","digest":"sha256:../../../../x"}]}',
    ],
    [
      'a blob that is gone',
      `{"layers":[{"mediaType":"application/vnd.ollama.image.model","digest":"sha256:${'f'.repeat(64)}"}]}`,
    ],
  ])('is not misled by a manifest with %s', async (_, text) => {
    writeFileSync(inOllama('smollm2', '135m'), text);
    expect(await found()).toEqual([]);
    expect(ollamaModelPath('smollm2:135m')).toBeUndefined();
  });

  it.each(['../x:y', '..:..', 'a/b/c:d', 'x:../../y'])('never leaves it: %s', (name) => {
    expect(ollamaModelPath(name)).toBeUndefined();
  });
});

describe("LM Studio's store", () => {
  it('shows its files, also of older versions, and takes them by name', async () => {
    const path = inLmStudio('publisher/tiny-GGUF/tiny-Q4_K_M.gguf');
    const old = inLmStudio('publisher/old-GGUF/old-Q8_0.gguf', '.cache/lm-studio/models');
    inLmStudio('publisher/tiny-GGUF/mmproj-tiny.gguf');
    expect(await found()).toEqual([
      { name: 'old-Q8_0', kind: 'gguf', source: 'lmstudio', path: old },
      { name: 'tiny-Q4_K_M', kind: 'gguf', source: 'lmstudio', path },
    ]);
    expect(modelPath('publisher/tiny-GGUF')).toBe(path);
    expect(modelPath('publisher/old-GGUF/old-Q8_0.gguf')).toBe(old);
  });

  it('does not choose between two models of one name, here or in another store', () => {
    inLmStudio('owner/tiny/a.gguf');
    inHub('owner/tiny');
    expect(modelPath('owner/tiny')).toBe('owner/tiny');
    inLmStudio('owner/other/a.gguf');
    inLmStudio('owner/other/b.gguf');
    expect(modelPath('owner/other')).toBe('owner/other');
  });
});

it("lists this program's own models before a workspace's, and those before other programs'", async () => {
  inHub('owner/a');
  const [workspace, cache] = [at('workspace', 'b.gguf'), at('own', 'models', 'c.gguf')];
  for (const path of [workspace, cache]) copyFileSync(gguf, path);
  const places = [
    { path: dirname(workspace), source: 'workspace' },
    { path: dirname(cache), source: 'cache' },
  ] as const;
  const { models } = await findModels(places, { folders: [], get: () => undefined });
  expect(models.map(({ name }) => name)).toEqual(['c', 'b', 'a']);
});

describe('what a model in a store is called', () => {
  it.each([
    ['/x/models--owner--tiny/snapshots/0123/', 'tiny'],
    [`C:\\x\\models--owner--tiny\\snapshots\\${commit}`, 'tiny'],
    ['/x/models/manifests/registry.ollama.ai/library/smollm2/135m', 'smollm2:135m'],
    ['owner/tiny', 'tiny'],
    ['/models/tiny.gguf', 'tiny.gguf'],
  ])('%s', (path, name) => {
    expect(modelName(path)).toBe(name);
  });

  it('is how adapters find their base, whichever commit they were trained on', () => {
    const model = { path: inHub('owner/tiny'), name: 'tiny', kind: 'huggingface', source: 'hub', sizeBytes: 1 } as const;
    for (const baseModel of ['owner/tiny', hub('models--owner--tiny', 'snapshots', older)]) {
      expect(baseOf({ baseModel } as AdapterInfo, [model])).toBe(model);
    }
  });
});
