/** @file Bytes as text (RFC 4648). JavaScript itself has no way that every host knows. */

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const valueOf = new Map([...alphabet].map((character, value) => [character, value]));

export function base64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const [first, second = 0, third = 0] = bytes.subarray(at, at + 3) as unknown as [number, number?, number?];
    const bits = (first << 16) | (second << 8) | third;
    text += [18, 12, 6, 0].map((shift) => alphabet[(bits >> shift) & 63]).join('');
  }
  const padding = (3 - (bytes.length % 3)) % 3;
  return text.slice(0, text.length - padding) + '='.repeat(padding);
}

/** Null if the text is not in base64. */
export function base64Bytes(text: string): Uint8Array | null {
  const values = [...text.replace(/={1,2}$/, '')].map((character) => valueOf.get(character));
  if (values.includes(undefined) || text.length % 4 !== 0) return null;
  const bytes = new Uint8Array(Math.floor((values.length * 3) / 4));
  for (let i = 0; i < bytes.length; i++) {
    const [from, shift] = [Math.floor((i * 4) / 3), 2 * (i % 3)];
    bytes[i] = (values[from]! << (shift + 2)) | (values[from + 1]! >> (4 - shift));
  }
  return bytes;
}
