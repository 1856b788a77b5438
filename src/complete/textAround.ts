/** Most characters before the cursor that the model reads; after the cursor it is a quarter of that. */
const maxCharacters = 16_384;

/** The part of a document that a suggestion at `offset` is based on; `behind` is where the text after the cursor starts. */
export function textAround(text: string, offset: number, behind = offset): { readonly prefix: string; readonly suffix: string } {
  return {
    prefix: text.slice(Math.max(0, offset - maxCharacters), offset),
    suffix: text.slice(behind, behind + maxCharacters / 4),
  };
}
