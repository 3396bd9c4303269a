import { z } from 'zod';
import { RefusedField } from '../errors.js';
import { filledText, storableText, variantsBy } from '../fields.js';

const MOST_CONDITIONS = 100;
const DEEPEST = 10;

type Operator = (attribute: string, operand: string) => string;

const ordered =
  (comparison: string): Operator =>
  (attribute, operand) =>
    `coalesce(jsonb_typeof(${attribute}) = jsonb_typeof(${operand}) AND ${attribute} ${comparison} ${operand}, false)`;

/** As conditions on JSON. What lacks the key fulfils `ne` and `nin` alone; more and less are told between values of one type. */
const OPERATORS = {
  eq: (attribute, operand) => `coalesce(${attribute} = ${operand}, false)`,
  ne: (attribute, operand) => `${attribute} IS DISTINCT FROM ${operand}`,
  in: (attribute, operand) => `coalesce(${operand} @> ${attribute}, false)`,
  nin: (attribute, operand) => `NOT coalesce(${operand} @> ${attribute}, false)`,
  gt: ordered('>'),
  gte: ordered('>='),
  lt: ordered('<'),
  lte: ordered('<='),
} as const satisfies Record<string, Operator>;

const scalar = z.union([storableText, z.number(), z.boolean()], 'must be a text, number or boolean.');
const key = filledText.pipe(storableText);
const COUNT = `must be a list of at most ${MOST_CONDITIONS} texts, numbers or booleans.`;

interface Comparison {
  type: keyof typeof OPERATORS;
  key: string;
  value: string | number | boolean | (string | number | boolean)[];
}
type Filter = Comparison | { type: 'and' | 'or'; filters: Filter[] };

/** A condition on attributes, or several as one. */
export const filter: z.ZodType<Filter> = z.lazy(() =>
  variantsBy(
    'type',
    [
      z.strictObject({ type: z.enum(['and', 'or']), filters: z.array(filter).min(1) }),
      z.strictObject({ type: z.enum(['eq', 'ne', 'gt', 'gte', 'lt', 'lte']), key, value: scalar }),
      z.strictObject({ type: z.enum(['in', 'nin']), key, value: z.array(scalar, COUNT).max(MOST_CONDITIONS, COUNT) }),
    ],
    () => `must be one of ${[...Object.keys(OPERATORS), 'and', 'or'].join(', ')}.`,
  ),
);

/**
 * A filter over attributes as a condition on `d.metadata`.
 * @param values gets the condition's parameters; `first` is the number of the first
 * @throws RefusedField
 */
export function filterCondition(condition: Filter, values: string[], first: number, depth = 1): string {
  if (depth > DEEPEST || values.length >= 2 * MOST_CONDITIONS)
    throw new RefusedField(
      'filters',
      'unsupported_value',
      `Filters have at most ${MOST_CONDITIONS} conditions, nested at most ${DEEPEST} levels deep.`,
    );
  if ('filters' in condition) {
    const conditions = condition.filters.map((part) => filterCondition(part, values, first, depth + 1));
    return `(${conditions.join(` ${condition.type} `)})`;
  }
  const place = first + values.push(condition.key, JSON.stringify(condition.value)) - 2;
  return OPERATORS[condition.type](`(d.metadata->$${place}::text)`, `$${place + 1}::jsonb`);
}
