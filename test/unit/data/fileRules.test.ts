import { expect, test } from 'vitest';
import { leftOutKinds, whyNoSource, whyNotEntered, whyPrivate, type LeftOutKind } from '../../../src/core/data/fileRules.js';
import { leftOutKinds as leftOutKindsOfProtocol } from '../../../src/protocol/preflight.js';

const why = (name: string): LeftOutKind | undefined => whyPrivate(name) ?? whyNoSource(name);

test.each<[LeftOutKind, string[]]>([
  ['hidden', ['.env', '.env.local', '.npmrc', '.eslintrc.js', '.gitignore']],
  [
    'secret',
    [
      'server.pem',
      'id_ed25519',
      'id_rsa',
      'prod.env',
      'credentials.json',
      'client_secret.json',
      'secrets.yaml',
      'service-account-prod.json',
      'terraform.tfstate',
      'keys.jks',
      'credentials',
    ],
  ],
  [
    'generated',
    [
      'package-lock.json',
      'Cargo.lock',
      'go.sum',
      'app.min.js',
      'app.js.map',
      'logo.svg',
      'api.pb.go',
      'api_pb2.py',
      'view.test.ts.snap',
    ],
  ],
  ['data', ['tsconfig.json', 'rows.jsonl', 'table.csv', 'Notebook.ipynb', 'server.log', 'pom.xml']],
  ['document', ['README.md', 'notes.txt', 'LICENSE', 'CHANGELOG', 'guide.rst', 'paper.tex']],
  [
    'binary',
    [
      'events.out.tfevents.1764000000.host.1.0',
      'logo.png',
      'font.woff2',
      'report.pdf',
      'model.safetensors',
      'tokenizer.model',
      'o200k_base.tiktoken',
      'app.exe',
      'lib.so',
      'data.sqlite',
    ],
  ],
])('%s', (kind, names) => {
  expect(names.map((name) => [name, why(name)])).toEqual(names.map((name) => [name, kind]));
});

test('what people write is source, also where its name sounds like a secret or like data', () => {
  const names = [
    'main.py',
    'credentials.ts',
    'secrets.go',
    'tokens.css',
    'env.ts',
    'passwords.test.js',
    'schema.sql',
    'CMakeLists.txt',
    'Makefile',
    'Dockerfile',
    'index.html',
    'ci.yml',
    'pyproject.toml',
    'lockfile.ts',
    'data.rs',
    'README.tsx',
  ];
  expect(names.filter((name) => why(name))).toEqual([]);
});

test('folders of others and hidden ones are not entered', () => {
  expect(['node_modules', 'vendor', 'third_party', '.git', '.github', 'src', 'vendors'].map(whyNotEntered)).toEqual([
    'vendored',
    'vendored',
    'vendored',
    'hidden',
    'hidden',
    undefined,
    undefined,
  ]);
});

test('both sides of the process boundary know the same reasons', () => {
  expect(leftOutKindsOfProtocol).toEqual(leftOutKinds);
});
