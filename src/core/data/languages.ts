/** @file Languages by the names of their files; the identifiers are those of VS Code. */
import { fileName } from './fileRules.js';

const extensions: Readonly<Record<string, string>> = {
  bat: 'bat cmd',
  c: 'c',
  clojure: 'clj cljs cljc',
  coffeescript: 'coffee',
  cpp: 'cc cpp cxx c++ h hh hpp hxx inl ipp',
  csharp: 'cs csx',
  css: 'css',
  'cuda-cpp': 'cu cuh',
  dart: 'dart',
  elixir: 'ex exs',
  elm: 'elm',
  erlang: 'erl hrl',
  fsharp: 'fs fsi fsx',
  gdscript: 'gd',
  glsl: 'glsl vert frag',
  go: 'go',
  graphql: 'graphql gql',
  groovy: 'groovy gradle',
  haskell: 'hs',
  hlsl: 'hlsl',
  html: 'html htm',
  java: 'java',
  javascript: 'js mjs cjs',
  javascriptreact: 'jsx',
  julia: 'jl',
  kotlin: 'kt kts',
  latex: 'tex sty cls',
  less: 'less',
  lua: 'lua',
  'objective-c': 'm',
  'objective-cpp': 'mm',
  ocaml: 'ml mli',
  perl: 'pl pm',
  php: 'php',
  powershell: 'ps1 psm1',
  proto: 'proto',
  python: 'py pyi pyw',
  r: 'r',
  ruby: 'rb rake gemspec',
  rust: 'rs',
  scala: 'scala sc',
  scss: 'scss sass',
  shellscript: 'sh bash zsh fish',
  solidity: 'sol',
  sql: 'sql',
  svelte: 'svelte',
  swift: 'swift',
  terraform: 'tf',
  toml: 'toml',
  typescript: 'ts mts cts',
  typescriptreact: 'tsx',
  verilog: 'v sv',
  vb: 'vb',
  vue: 'vue',
  wgsl: 'wgsl',
  yaml: 'yml yaml',
  zig: 'zig',
};

const names: Readonly<Record<string, string>> = {
  cmake: 'CMakeLists.txt',
  dockerfile: 'Dockerfile Containerfile',
  makefile: 'Makefile makefile GNUmakefile',
  ruby: 'Rakefile Gemfile',
};

const byExtension = reversed(extensions);
const byName = reversed(names);

function reversed(table: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(table).flatMap(([language, list]) => list.split(' ').map((each) => [each, language] as const)));
}

/** VS Code's identifier; for a language that is not in the table, the extension with its dot, and the name without one. */
export function languageOf(path: string): string {
  const name = fileName(path);
  const dot = name.lastIndexOf('.');
  const extension = dot > 0 ? name.slice(dot + 1).toLowerCase() : '';
  return byName.get(name) ?? byExtension.get(extension) ?? (extension === '' ? name : `.${extension}`);
}
