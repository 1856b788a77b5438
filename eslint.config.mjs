import js from '@eslint/js';
import ts from 'typescript-eslint';
import { importX } from 'eslint-plugin-import-x';
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';

/** What a program that computes builds on. */
const computing = ['src/l10n', 'src/core', 'src/protocol', 'src/files', 'src/runs', 'src/runtime', 'src/complete'];

/** What is done with models beside training them. */
const usingModels = ['src/inference', 'src/serve', 'src/export', 'src/analysis', 'src/evaluation', 'src/sweep'];

// Which layer may import which (docs/architecture.md). Data flows right, imports point left: a layer may import itself and those
// listed.
export const layers = {
  'src/l10n': [],
  'src/protocol': ['src/l10n'],
  'src/core': ['src/l10n'],
  'src/files': ['src/l10n', 'src/core'],
  'src/runtime': ['src/l10n', 'src/core'],
  'src/runs': ['src/l10n', 'src/core', 'src/protocol', 'src/files', 'src/runtime'],
  'src/complete': ['src/l10n', 'src/core'],
  'src/export': ['src/l10n', 'src/core', 'src/protocol', 'src/files', 'src/runtime'],
  'src/inference': ['src/l10n', 'src/core', 'src/files', 'src/runtime'],
  'src/analysis': ['src/l10n', 'src/core', 'src/protocol', 'src/files', 'src/runs', 'src/runtime'],
  'src/serve': [...computing, 'src/inference'],
  'src/evaluation': [...computing, 'src/inference'],
  'src/sweep': [...computing, 'src/inference', 'src/analysis', 'src/evaluation'],
  'src/backend': [...computing, ...usingModels],
  'src/cli': [...computing, ...usingModels, 'src/backend'],
  'src/extension': ['src/l10n', 'src/protocol'],
  webview: ['src/l10n', 'src/protocol'],
};

const roots = ['src', 'webview', 'test', 'bench', 'scripts'];
const layerZones = Object.entries(layers).flatMap(([layer, allowed]) =>
  roots
    .filter((root) => root !== layer)
    .map((root) => ({
      target: `./${layer}`,
      from: `./${root}`,
      except: [layer, ...allowed].filter((path) => path.startsWith(`${root}/`)).map((path) => `./${path.slice(root.length + 1)}`),
    })),
);

// The same for the folders of core. Each may also import the files next to the folders (errors.ts, shape.ts, …).
export const coreFolders = {
  formats: [],
  tokenizer: ['formats'],
  data: ['formats', 'tokenizer'],
  graph: ['formats'],
  models: ['formats', 'graph'],
  adapters: ['formats', 'graph', 'models'],
  train: ['formats', 'data', 'graph', 'models', 'adapters'],
  generate: ['formats', 'tokenizer', 'graph', 'models', 'adapters'],
};

const coreZones = Object.entries(coreFolders).map(([folder, allowed]) => ({
  target: `./src/core/${folder}`,
  from: Object.keys(coreFolders)
    .filter((other) => other !== folder && !allowed.includes(other))
    .map((other) => `./src/core/${other}`),
}));

// The only folder that may import each package.
const packageOwners = {
  vscode: 'src/extension',
  'onnxruntime-node': 'src/runtime',
  'vscode-languageclient': 'src/extension',
  'vscode-languageserver': 'src/backend',
};

const nodeBuiltins = { regex: '^node:', message: 'l10n, core and protocol are pure: pass a port instead.' };
const foreignPackages = (file) =>
  Object.entries(packageOwners)
    .filter(([, owner]) => !file.startsWith(owner))
    .map(([name, owner]) => ({ regex: `^${name}(/|$)`, message: `only ${owner} imports ${name}.` }));

export default ts.config(
  { ignores: ['dist/**', '.tsbuild/**', 'node_modules/**', '.cache/**', 'build/**'] },
  js.configs.recommended,
  ...ts.configs.strict,
  {
    plugins: { 'import-x': importX },
    settings: { 'import-x/resolver-next': [createTypeScriptImportResolver({ project: 'tsconfig.json' })] },
    rules: {
      'import-x/no-restricted-paths': ['error', { zones: [...layerZones, ...coreZones] }],
      'import-x/no-cycle': ['error', { ignoreExternal: true }],
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      'no-console': 'error',
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ['{src,webview,test}/**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  ...Object.keys(layers).map((layer) => ({
    files: [`${layer}/**/*.ts`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            ...foreignPackages(layer),
            ...(['src/l10n', 'src/core', 'src/protocol'].includes(layer) ? [nodeBuiltins] : []),
          ],
        },
      ],
    },
  })),
  {
    files: ['**/*.{mjs,cjs}', 'bench/**', 'test/**'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        Buffer: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        fetch: 'readonly',
      },
    },
    rules: { 'no-console': 'off', 'max-lines': 'off' },
  },
);
