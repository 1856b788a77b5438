import { expect, test } from 'vitest';
import { documentPlace } from '../../../src/backend/documentPlace.js';

const folders = [
  { uri: 'file:///home/me/app', name: 'app' },
  { uri: 'file:///home/me/app/packages/core', name: 'core' },
];

test.each([
  ['file:///home/me/app/src/main.py', { file: 'src/main.py', repository: 'app' }],
  ['file:///home/me/app/my%20notes/%C3%A9.py', { file: 'my notes/é.py', repository: 'app' }],
  ['file:///home/me/app/packages/core/index.ts', { file: 'index.ts', repository: 'core' }],
  ['file:///home/me/app-2/main.py', { file: 'main.py' }],
  ['untitled:Untitled-1', {}],
])('%s', (uri, place) => {
  expect(documentPlace(uri, folders)).toEqual(place);
});
