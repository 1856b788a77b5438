import ts from 'typescript';
import { expect, test } from 'vitest';
import { runConfigSchema, type SettingSchema } from '../../../src/protocol/runConfigSchema.js';

const path = 'src/protocol/runConfig.ts';

/** What runConfig.ts must declare according to the schema: settings by name, each with its TypeScript type. */
function typesOfSchema({ properties = {} }: SettingSchema): Record<string, unknown> {
  const settings = Object.entries(properties).filter(([name]) => name !== '$schema');
  return Object.fromEntries(
    settings.map(([name, setting]) => [name, setting.properties ? typesOfSchema(setting) : typeOf(setting)]),
  );
}

function typeOf(setting: SettingSchema): string {
  if (setting.enum) return union(setting.enum.map((value) => JSON.stringify(value)));
  return union(
    [setting.type!].flat().map((type) => {
      // The layers below know which names a list may contain.
      if (type === 'array') return `readonly ${setting.items!.enum ? 'string' : typeOf(setting.items!)}[]`;
      return type === 'integer' ? 'number' : type;
    }),
  );
}

function union(types: readonly string[]): string {
  return [...types].sort().join(' | ');
}

function typesOfCode(checker: ts.TypeChecker, type: ts.Type): Record<string, unknown> {
  return Object.fromEntries(
    checker.getPropertiesOfType(type).map((property) => {
      const own = checker.getTypeOfSymbol(property);
      const isSection = own.isClassOrInterface() && !checker.isArrayLikeType(own);
      return [property.name, isSection ? typesOfCode(checker, own) : printed(checker, own)];
    }),
  );
}

function printed(checker: ts.TypeChecker, type: ts.Type): string {
  const parts = type.isUnion() ? type.types : [type];
  const words = parts.map((part) => checker.typeToString(part, undefined, ts.TypeFormatFlags.NoTruncation));
  return union(words).replace('false | true', 'boolean');
}

test('the types of a run config are those of its schema, no more and no fewer', () => {
  const program = ts.createProgram([path], { strict: true, noLib: false });
  const checker = program.getTypeChecker();
  const file = checker.getSymbolAtLocation(program.getSourceFile(path)!)!;
  const runConfig = checker.getExportsOfModule(file).find(({ name }) => name === 'RunConfig')!;
  expect(typesOfCode(checker, checker.getDeclaredTypeOfSymbol(runConfig))).toEqual(typesOfSchema(runConfigSchema));
});
