/** @file The texts that the sources show to people, found in their syntax trees. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

export interface SaidTexts {
  /** "{0} does not exist." for t`${path} does not exist.` */
  readonly texts: ReadonlySet<string>;
  /** Locations of texts that are evaluated when their module is loaded, before the language is known. */
  readonly tooEarly: readonly string[];
  /** Locations of user-facing errors whose text is not marked for translation. */
  readonly untagged: readonly string[];
}

/** Finds everything tagged with `t` below a folder. */
export function saidTexts(folder: string): SaidTexts {
  const said = { texts: new Set<string>(), tooEarly: [] as string[], untagged: [] as string[] };
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))) {
    const path = join(folder, name).replaceAll('\\', '/');
    const source = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
    const placeOf = (node: ts.Node) => `${path}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}`;
    const visit = (node: ts.Node): void => {
      if (ts.isTaggedTemplateExpression(node) && node.tag.getText() === 't') {
        said.texts.add(keyOf(node.template));
        if (isModuleLevel(node)) said.tooEarly.push(placeOf(node));
      }
      if (ts.isNewExpression(node) && hasWords(messageOf(node))) said.untagged.push(placeOf(node));
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return said;
}

function keyOf(template: ts.TemplateLiteral): string {
  if (ts.isNoSubstitutionTemplateLiteral(template)) return template.text;
  return template.head.text + template.templateSpans.map(({ literal }, index) => `{${index}}${literal.text}`).join('');
}

function isModuleLevel(node: ts.Node): boolean {
  for (let around = node.parent; around; around = around.parent) if (ts.isFunctionLike(around)) return false;
  return true;
}

/** The message of an error that is shown verbatim. */
function messageOf({ expression, arguments: given }: ts.NewExpression): ts.Expression | undefined {
  if (expression.getText() === 'UserError') return given?.[1];
  return expression.getText() === 'Unusable' ? given?.[0] : undefined;
}

function hasWords(message: ts.Expression | undefined): boolean {
  if (message === undefined) return false;
  if (ts.isTemplateExpression(message)) return /[a-z]/i.test(keyOf(message));
  return ts.isStringLiteralLike(message) || ts.isBinaryExpression(message);
}
