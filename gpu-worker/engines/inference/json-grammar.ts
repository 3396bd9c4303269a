import { groupBy } from '../../../src/kernel/group-by.js';
import type { CallBond, FormNode, JsonForm } from '../../../src/worker-protocol/index.js';

type ObjectNode = Extract<FormNode, { kind: 'object' }>;
type Property = ObjectNode['properties'][number];

/**
 * JSON without white space; a half of a surrogate pair can't be written, so that lengths in code points are what they seem. Bytes that are no
 * UTF-8, which models hardly write, become replacement characters, and these may be more than llama.cpp counted.
 */
const SHARED = [
  String.raw`char ::= [^"\\\x7F\x00-\x1F] | "\\" (["\\/bfnrt] | "u" ([0-9a-cefA-CEF] hex hex hex | [dD] [0-7] hex hex))`,
  'hex ::= [0-9a-fA-F]',
  String.raw`string ::= "\"" char* "\""`,
  'integer ::= "-"? ("0" | [1-9] [0-9]{0,14})',
  'number ::= integer ("." [0-9]{1,15})? ([eE] [-+]? [0-9]{1,2})?',
  'boolean ::= "true" | "false"',
  'null ::= "null"',
  String.raw`map ::= "{" (string ":" any ("," string ":" any)*)? "}"`,
  'list ::= "[" (any ("," any)*)? "]"',
  'any ::= map | list | string | number | boolean | null',
];

/** The GBNF grammar of a form: a rule for each node, as long as the form is, and nothing in it is tried twice. */
export function grammarOf(form: JsonForm): string {
  return ['root ::= n0', ...formRules(form, 'n'), ...SHARED].join('\n');
}

/** Calls in a row; models that are asked nothing of the kind write no more. */
const MOST_CALLS = 8;

/** The grammar of an answer that may call functions: text can't hold the beginning of a call, so that there is but one way to read it. */
export function callsGrammarOf({ open, middle, close, between: gap, functions, isRequired }: CallBond): string {
  const choices = functions.map(({ name }, index) => `${quoted(`${name}${middle}`)} f${index}n0`);
  const repetition = gap === null ? '' : ` (${quoted(gap)} call){0,${MOST_CALLS - 1}}`;
  return [
    `root ::= ${isRequired ? 'calls' : 'calls | text calls?'}`,
    `calls ::= call${repetition}`,
    `call ::= ${quoted(open)} (${choices.join(' | ')}) ${quoted(close)}`,
    ...(isRequired ? [] : [`text ::= ${textWithout(open)}`]),
    ...functions.flatMap(({ arguments: form }, index) => formRules(form, `f${index}n`)),
    ...SHARED,
  ].join('\n');
}

/** Texts that don't hold the first two characters of another. */
function textWithout(beginning: string): string {
  const [first, second] = [...beginning].map(codeOf);
  return second === undefined ? `[^${first}]+` : `([^${first}] | "${first}" [^${second}])+`;
}

const codeOf = (character: string): string =>
  `\\U${character.codePointAt(0)!.toString(16).toUpperCase().padStart(8, '0')}`;

/** @param prefix of the names of its rules */
const formRules = (form: JsonForm, prefix: string): string[] =>
  form.flatMap((node, place) => rulesOf(node, `${prefix}${place}`, prefix));

function rulesOf(node: FormNode, name: string, prefix: string): string[] {
  const nodeAt = (place: number): string => `${prefix}${place}`;
  if (node.kind === 'object') return objectRules(node, name, nodeAt);
  return [`${name} ::= ${written(node, nodeAt)}`];
}

type NodeNames = (place: number) => string;

function written(node: Exclude<FormNode, ObjectNode>, nodeAt: NodeNames): string {
  switch (node.kind) {
    case 'any':
    case 'null':
    case 'boolean':
    case 'integer':
    case 'number':
      return node.kind;
    case 'string':
      return String.raw`"\"" ${times('char', node.least, node.most)} "\""`;
    case 'literal':
      return oneOf(node.texts.map((text) => [...text]).sort(byCharacters));
    case 'list':
      return `"[" ${listOf(nodeAt(node.items), node.least, node.most)} "]"`;
    case 'map':
      return `"{" ${listOf(`string ":" ${nodeAt(node.values)}`, 0, null)} "}"`;
    case 'either':
      return node.options.map(nodeAt).join(' | ');
  }
}

/** Something so many times; nothing where that is never. */
function times(item: string, minimum: number, maximum: number | null): string {
  if (maximum === 0) return '';
  return `${item}{${minimum},${maximum ?? ''}}`;
}

function listOf(item: string, minimum: number, maximum: number | null): string {
  if (maximum === 0) return '';
  const list = `${item} ${times(`("," ${item})`, Math.max(0, minimum - 1), maximum === null ? null : maximum - 1)}`;
  return minimum === 0 ? `(${list})?` : list;
}

/** A comma stands between two that are written, whichever of the optional ones these are. */
function objectRules({ properties }: ObjectNode, name: string, nodeAt: NodeNames): string[] {
  const pair = (property: Property): string =>
    `${quoted(`${JSON.stringify(property.name)}:`)} ${nodeAt(property.value)}`;
  const behind = (property: Property): string =>
    property.required ? `"," ${pair(property)}` : `("," ${pair(property)})?`;
  const first = properties.findIndex(({ required }) => required);
  if (first >= 0) {
    const leadingPairs = properties.slice(0, first).map((property) => `(${pair(property)} ",")?`);
    const trailingPairs = properties.slice(first + 1).map(behind);
    return [`${name} ::= ${['"{"', ...leadingPairs, pair(properties[first]!), ...trailingPairs, '"}"'].join(' ')}`];
  }
  if (properties.length === 0) return [`${name} ::= "{}"`];
  // `f` writes the first of those from a place on, `r` the rest behind it.
  return [
    `${name} ::= "{" ${name}f0? "}"`,
    ...properties.flatMap((property, i) => {
      const isLast = i === properties.length - 1;
      return [
        `${name}f${i} ::= ${pair(property)}${isLast ? '' : ` ${name}r${i + 1} | ${name}f${i + 1}`}`,
        `${name}r${i} ::= ("," ${pair(property)})?${isLast ? '' : ` ${name}r${i + 1}`}`,
      ];
    }),
  ];
}

/** Texts that begin alike share their beginning, so that few of them are followed at once. @param texts their characters, sorted */
function oneOf(texts: readonly (readonly string[])[]): string {
  const [first, ...tail] = texts;
  if (tail.length === 0) return quoted(first!.join(''));
  const shared = first!.findIndex((character, i) => tail.some((text) => text[i] !== character));
  const length = shared < 0 ? first!.length : shared;
  const rests = texts.map((text) => text.slice(length));
  const groups = groupBy(
    rests.filter((rest) => rest.length > 0),
    ([character]) => character!,
  );
  const branches = [...groups.values()].map(oneOf).join(' | ');
  const head = length === 0 ? '' : `${quoted(first!.slice(0, length).join(''))} `;
  return `${head}(${branches})${rests.some((rest) => rest.length === 0) ? '?' : ''}`;
}

const byCharacters = (a: readonly string[], b: readonly string[]): number => {
  const [x, y] = [a.join(''), b.join('')];
  return x < y ? -1 : Number(x > y);
};

/** As a literal of GBNF. A JSON text has no control characters; what a template writes around calls has. */
const quoted = (text: string): string =>
  `"${text
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll(/[\0-\x1f]/g, codeOf)}"`;
