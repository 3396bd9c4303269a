import { z } from 'zod';
import { requireStorable } from '../../../kernel/text.js';
import { RefusedField } from '../errors.js';
import { fieldsOf, refuseOthers, requiredText, type Fields } from '../fields.js';

const MOST_CONDITIONS = 100;
const DEEPEST = 10;

const scalar = z.union([z.string(), z.number(), z.boolean()]);
const list = z.array(scalar).max(MOST_CONDITIONS);

type Operator = (attribute: string, operand: string) => string;

const ordered =
  (comparison: string): Operator =>
  (attribute, operand) =>
    `coalesce(jsonb_typeof(${attribute}) = jsonb_typeof(${operand}) AND ${attribute} ${comparison} ${operand}, false)`;

/** As conditions on JSON. What lacks the key fulfils `ne` and `nin` alone; more and less are told between values of one type. */
const OPERATORS: ReadonlyMap<string, Operator> = new Map([
  ['eq', (attribute, operand) => `coalesce(${attribute} = ${operand}, false)`],
  ['ne', (attribute, operand) => `${attribute} IS DISTINCT FROM ${operand}`],
  ['in', (attribute, operand) => `coalesce(${operand} @> ${attribute}, false)`],
  ['nin', (attribute, operand) => `NOT coalesce(${operand} @> ${attribute}, false)`],
  ['gt', ordered('>')],
  ['gte', ordered('>=')],
  ['lt', ordered('<')],
  ['lte', ordered('<=')],
]);

/**
 * A filter over attributes as a condition on `d.metadata`.
 * @param values gets the condition's parameters; `first` is the number of the first
 * @throws RefusedField, BAD_USER_INPUT
 */
export function filterCondition(filter: unknown, values: string[], first: number, path = 'filters', depth = 1): string {
  const fields = fieldsOf(filter, path);
  if (depth > DEEPEST || values.length >= 2 * MOST_CONDITIONS)
    throw new RefusedField(
      'filters',
      'unsupported_value',
      `Filters have at most ${MOST_CONDITIONS} conditions, nested at most ${DEEPEST} levels deep.`,
    );
  const type = requiredText(fields, 'type');
  if (type !== 'and' && type !== 'or') return comparison(fields, values, first, path);
  refuseOthers(fields, ['type', 'filters'], {});
  const inner = fields['filters'];
  if (!Array.isArray(inner) || inner.length === 0)
    throw new RefusedField(`${path}.filters`, 'invalid_value', `${path}.filters must be a list that is not empty.`);
  const conditions = inner.map((part, i) => filterCondition(part, values, first, `${path}.filters[${i}]`, depth + 1));
  return `(${conditions.join(` ${type} `)})`;
}

function comparison(fields: Fields, values: string[], first: number, path: string): string {
  refuseOthers(fields, ['type', 'key', 'value'], {});
  const type = requiredText(fields, 'type');
  const operator = OPERATORS.get(type);
  if (!operator) {
    const types = [...OPERATORS.keys(), 'and', 'or'].join(', ');
    throw new RefusedField(`${path}.type`, 'unsupported_value', `${path}.type must be one of ${types}.`);
  }
  const key = requiredText(fields, 'key');
  const { data: value } = (type === 'in' || type === 'nin' ? list : scalar).safeParse(fields['value']);
  if (value === undefined)
    throw new RefusedField(
      `${path}.value`,
      'invalid_value',
      `${path}.value must be a text, number or boolean; with in and nin a list of at most ${MOST_CONDITIONS}.`,
    );
  requireStorable(key, `${path}.key`);
  requireStorable([value].flat().join(' '), `${path}.value`);
  const place = first + values.push(key, JSON.stringify(value)) - 2;
  return operator(`(d.metadata->$${place}::text)`, `$${place + 1}::jsonb`);
}
