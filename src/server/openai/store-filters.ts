import { z } from 'zod';
import { requireStorable } from '../../kernel/text.js';
import { RefusedField } from './errors.js';
import { fieldsOf, refuseOthers, requiredText } from './fields.js';

const MOST_CONDITIONS = 100;
const DEEPEST = 10;

const scalar = z.union([z.string(), z.number(), z.boolean()]);
const COMPARISONS: Readonly<Record<string, string>> = { gt: '>', gte: '>=', lt: '<', lte: '<=' };

/**
 * A filter over attributes as a condition on `d.metadata`. What lacks the key fulfils `ne` and `nin` alone; more and less are told between values
 * of one type.
 * @param values gets the condition's parameters; `first` is the number of the first
 * @throws RefusedField
 */
export function filterCondition(filter: unknown, values: string[], first: number, path = 'filters', depth = 1): string {
  const fields = fieldsOf(filter, path);
  const type = requiredText(fields, 'type');
  if (depth > DEEPEST || values.length > 2 * MOST_CONDITIONS)
    throw new RefusedField(
      'filters',
      'unsupported_value',
      `Filters have at most ${MOST_CONDITIONS} conditions, nested at most ${DEEPEST} levels deep.`,
    );
  if (type === 'and' || type === 'or') {
    refuseOthers(fields, ['type', 'filters'], {});
    const inner = fields['filters'];
    if (!Array.isArray(inner) || inner.length === 0)
      throw new RefusedField(`${path}.filters`, 'invalid_value', `${path}.filters must be a list that is not empty.`);
    const conditions = inner.map((each, i) => filterCondition(each, values, first, `${path}.filters[${i}]`, depth + 1));
    return `(${conditions.join(` ${type} `)})`;
  }
  refuseOthers(fields, ['type', 'key', 'value'], {});
  const key = requiredText(fields, 'key');
  const isList = type === 'in' || type === 'nin';
  const { data: value } = (isList ? z.array(scalar).max(MOST_CONDITIONS) : scalar).safeParse(fields['value']);
  if (value === undefined)
    throw new RefusedField(
      `${path}.value`,
      'invalid_value',
      isList ? `${path}.value must be a list of texts, numbers or booleans.` : 'It must be a text, number or boolean.',
    );
  requireStorable(key, `${path}.key`);
  requireStorable([value].flat().join(' '), `${path}.value`);
  const parameter = (text: string): string => `$${first - 1 + values.push(text)}`;
  const attribute = `(d.metadata->${parameter(key)}::text)`;
  const operand = `${parameter(JSON.stringify(value))}::jsonb`;
  if (type === 'eq') return `coalesce(${attribute} = ${operand}, false)`;
  if (type === 'ne') return `${attribute} IS DISTINCT FROM ${operand}`;
  if (type === 'in') return `coalesce(${operand} @> ${attribute}, false)`;
  if (type === 'nin') return `NOT coalesce(${operand} @> ${attribute}, false)`;
  const comparison = Object.hasOwn(COMPARISONS, type) ? COMPARISONS[type]! : null;
  if (comparison === null)
    throw new RefusedField(
      `${path}.type`,
      'unsupported_value',
      `${path}.type must be eq, ne, gt, gte, lt, lte, in, nin, and, or.`,
    );
  return `coalesce(jsonb_typeof(${attribute}) = jsonb_typeof(${operand}) AND ${attribute} ${comparison} ${operand}, false)`;
}
