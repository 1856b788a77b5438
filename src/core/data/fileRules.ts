/** @file Decides which files of a folder are used for training and why others are not, by name alone, before opening any. */

/**
 * Those up to `otherFormat` are known by the name alone, the others only after curation has looked into the files, and `older` after
 * they were tokenized.
 */
export const leftOutKinds = [
  'credential',
  'hidden',
  'secret',
  'vendored',
  'generated',
  'data',
  'document',
  'binary',
  'otherFormat',
  'notIncluded',
  'large',
  'minified',
  'empty',
  'duplicate',
  'nearDuplicate',
  'copied',
  'older',
] as const;

/**
 * Why a file is left out. `secret`: a file of keys, by its name; `credential`: one was found in it; `otherFormat`: the chosen data
 * format does not read it; `notIncluded`: by data.include, data.exclude or data.languages; `copied`: a file to be held out, much of
 * which is in a training file; `older`: newer files had the tokens of data.max_tokens already.
 */
export type LeftOutKind = (typeof leftOutKinds)[number];

export interface LeftOut {
  readonly path: string;
  readonly kind: LeftOutKind;
  /** Where in the file the reason is, counted from 1. */
  readonly line?: number;
  /** The rule, or the file that it repeats. */
  readonly detail?: string;
}

/** Folders that hold other people's code; never entered. */
const vendoredFolders = new Set([
  'node_modules',
  'bower_components',
  'jspm_packages',
  'site-packages',
  '__pycache__',
  'venv',
  'vendor',
  'third_party',
  'Pods',
]);

/** Keys, certificates and passwords. The extensions apply to any name; the names do not apply to program files. */
const secretExtension = /\.(pem|key|ppk|p12|pfx|p8|jks|keystore|kdbx?|crt|cer|der|csr|asc|gpg|pgp|ovpn|env|tfstate|tfvars)$/i;
const secretName =
  /^(id_(rsa|dsa|ecdsa|ed25519)|credentials?|client_?secrets?|secrets?|passwords?|passwd|tokens?|htpasswd|netrc|service[-_]?account.*)(\.(json|ya?ml|toml|ini|cfg|conf|properties|xml|txt|bak))?$/i;

const generated =
  /^(npm-shrinkwrap\.json|package-lock\.json|pnpm-lock\.yaml|.*\.lock|go\.sum)$|\.min\.\w+$|\.(map|svg|snap|tsbuildinfo)$|\.pb\.go$|_pb2(_grpc)?\.pyi?$|\.g\.dart$|\.generated\.\w+$/i;

const data =
  /\.(json|jsonl|ndjson|json5|geojson|ipynb|csv|tsv|xml|plist|parquet|arrow|avro|log|dump|har|po|pot|xlf|xliff|srt|vtt|diff|patch)$/i;

const programInTextFile = /^CMakeLists\.txt$/i;
const document =
  /\.(md|markdown|mkd|rst|txt|text|adoc|asciidoc|org|tex|bib|rtf)$|^(license|licence|copying|copyright|notice|authors|contributors|maintainers|patents|changelog|changes|history|news|readme|todo)$/i;

const binary =
  /\.(png|jpe?g|gif|bmp|tiff?|webp|avif|ico|icns|psd|ai|eps|mp[34]|m4[av]|wav|ogg|flac|avi|mov|mkv|webm|woff2?|ttf|otf|eot|pdf|docx?|xlsx?|pptx?|od[tsp]|zip|tar|t?gz|bz2|xz|zst|7z|rar|jar|war|class|whl|egg|exe|dll|so|dylib|a|o|obj|lib|bin|dat|db|sqlite3?|pyc|pyd|wasm|node|vsix|gguf|safetensors|pt|pth|ckpt|model|spm|tiktoken|onnx|npy|npz|pkl|h5|tfevents)$|^events\.out\.tfevents\./i;

/** Why a folder is not entered, or undefined if it is. The contents of a skipped folder are not counted. */
export function whyNotEntered(name: string): LeftOutKind | undefined {
  if (name.startsWith('.')) return 'hidden';
  return vendoredFolders.has(name) ? 'vendored' : undefined;
}

/** Why a file may be used only if it is chosen by name, or undefined if it may be used freely. */
export function whyPrivate(name: string): LeftOutKind | undefined {
  if (name.startsWith('.')) return 'hidden';
  return secretExtension.test(name) || secretName.test(name) ? 'secret' : undefined;
}

/** Why a file is not hand-written source code, or undefined if it is. */
export function whyNoSource(name: string): LeftOutKind | undefined {
  if (generated.test(name)) return 'generated';
  if (data.test(name)) return 'data';
  if (document.test(name) && !programInTextFile.test(name)) return 'document';
  return binary.test(name) ? 'binary' : undefined;
}

export function fileName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
}
