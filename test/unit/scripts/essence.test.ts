import { join } from 'node:path';
import { packageRoot } from '../../../src/platform/package-root.js';

const { essence } = (await import(join(packageRoot(), 'scripts', 'essence.mjs'))) as {
  essence: (file: string, text: string) => string;
};

const isSame = (before: string, after: string): boolean => essence('a.ts', before) === essence('a.ts', after);

describe('what code does, by which a result is told to be stale', () => {
  it.each([
    [
      'the name of a local',
      'export function f(told: string) { const at = told + 1; return { at }; }',
      'export function f(label: string) { const place = label + 1; return { at: place }; }',
    ],
    [
      'a name that is read from an object',
      'function f({ told }) { return told; }',
      'function f({ told: a }) { return a; }',
    ],
    [
      'the name of a rest',
      'const f = (a) => { const { x, ...b } = a; return b; };',
      'const f = (a) => { const { x, ...c } = a; return c; };',
    ],
    ['types, comments and line breaks', 'const f = <T,>(x: T): T => x; // same', 'const f = (x) =>\n  x;'],
    [
      'a method with a type of its own',
      'class A { f<T>(what: T) { return what; } }',
      'class A { f<T>(kind: T) { return kind; } }',
    ],
    ['where something is imported from', "import { a } from './a.js';\na();", "import { a } from '../b/a.js';\na();"],
  ])('does not change with %s', (_, before, after) => expect(isSame(before, after)).toBe(true));

  it.each([
    ['an operator', 'const f = (a) => !a;', 'const f = (a) => -a;'],
    ['the order of operands', 'const f = (a, b) => a - b;', 'const f = (a, b) => b - a;'],
    ['which variable is read', 'const f = (x) => (y) => x;', 'const f = (y) => (x) => x;'],
    ['which property is read', 'const f = ({ told }) => told;', 'const f = ({ said }) => said;'],
    ['a property', 'const f = (x) => x.told;', 'const f = (x) => x.said;'],
    ['a literal', 'const f = (x) => [x, `a${x}b`];', 'const f = (x) => [x, `a${x}c`];'],
    ['a condition on what is there', 'const f = (a) => a?.b;', 'const f = (a) => a.b;'],
    ['a rest', 'const f = ({ x, ...rest }) => rest;', 'const f = ({ x, rest }) => rest;'],
    [
      'what may be assigned again',
      'const f = (x) => { let a = x; return a; };',
      'const f = (x) => { const a = x; return a; };',
    ],
  ])('changes with %s', (_, before, after) => expect(isSame(before, after)).toBe(false));
});
