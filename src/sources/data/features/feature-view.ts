import { z } from 'zod';
import { badInput } from '../../../kernel/errors.js';
import { own } from '../../../kernel/own.js';
import { choice, record, string, oneOf, date } from '../../../kernel/record.js';
import { storedJson } from '../../../kernel/stored-json.js';
import { checkedText } from '../../../kernel/text.js';
import { readTime } from '../datasets/making/read-time.js';
import { oneLine } from '../../prompting/index.js';
import type { Prisma } from '../../../platform/database/index.js';

export const FeatureType = choice('FeatureType', 'Type of a feature.', {
  STRING: 'A text of at most 2,000 characters.',
  INTEGER: 'A whole number below 2^53.',
  FLOAT: 'A number.',
  BOOLEAN: 'True or false.',
  TIMESTAMP: 'A date and time (ISO 8601).',
});
export type FeatureType = keyof typeof FeatureType;

export const featureField = record('FeatureField', 'A value of a feature view.', {
  name: string('Its name: 1 to 63 lower-case letters, digits or `_`, starting with a letter.'),
  type: oneOf(FeatureType, 'Its type; any value may also be null.'),
});
type FeatureField = z.infer<typeof featureField>;
/** The column `fields` of a view. */
export const storedFields = storedJson(z.array(featureField));

const featureValue = z.union([z.string(), z.number(), z.boolean(), z.null()]);
type FeatureValue = z.infer<typeof featureValue>;
export const featureValues = z.record(z.string(), featureValue);
export type FeatureValues = z.infer<typeof featureValues>;
/** The column `values` of a row: which fields there are, and of which types, is the view's to say. */
export const storedValues = storedJson(featureValues);

export type FeatureViewRecord = Omit<Prisma.FeatureViewGetPayload<object>, 'fields'> & { fields: FeatureField[] };

export const featureRow = record('FeatureRow', 'Values of an entity as of a moment.', {
  entity: string('The entity, e.g. `customer:42`.'),
  eventTime: date('When the values became true.'),
  createdTime: date('When they became known: no reader sees them before.'),
  values: featureValues.describe('The values by name.'),
});
/** A row of a view's history. */
export type FeatureRow = z.infer<typeof featureRow>;

export const newView = record('DefineFeatureViewInput', 'A new feature view.', {
  name: string('Unique in the workspace: 1 to 63 letters, digits, `.`, `_` or `-`.'),
  description: string('What it is; at most 1,000 characters.').nullish(),
  entity: string('What its entities are, e.g. `customer`.'),
  fields: z
    .array(record('FeatureFieldInput', 'A value of a feature view.', featureField.shape))
    .describe('1 to 100 values.'),
  ttlSeconds: z.int().nullish().describe('How long a value holds, in seconds; left out: until the next.'),
});
export type NewView = z.infer<typeof newView>;

export const newFeatureRow = record('FeatureRowInput', 'Values of an entity as of a moment.', {
  entity: string('The entity, e.g. `customer:42`; at most 200 characters.'),
  eventTime: date('When the values became true; it may lie before that of rows that are there already.'),
  values: z.record(z.string(), z.unknown()).describe('The values by name; one that is left out is null.'),
  createdTime: date('When they became known; now when left out. For histories that are brought in.').nullish(),
});
export type NewFeatureRow = z.infer<typeof newFeatureRow>;

const NAME = /^[a-z][a-z0-9_]{0,62}$/;

/** @throws BAD_USER_INPUT on no field, a bad or repeated name */
export function checkedFields(fields: readonly FeatureField[], path: string): FeatureField[] {
  if (fields.length === 0 || fields.length > 100) throw badInput(path, `${path} needs 1 to 100 fields.`);
  for (const [i, { name }] of fields.entries()) {
    if (!NAME.test(name))
      throw badInput(
        `${path}.${i}.name`,
        'A field name has 1 to 63 lower-case letters, digits or "_", and starts with a letter.',
      );
    if (fields.findIndex((candidate) => candidate.name === name) !== i)
      throw badInput(`${path}.${i}.name`, `${name} is there twice.`);
  }
  return fields.map(({ name, type }) => ({ name, type }));
}

/** The key of an entity, e.g. `customer:42`. @throws BAD_USER_INPUT */
export const checkedEntity = (entity: string, field: string): string => checkedText(entity, field, 200);

/**
 * Values by the view's schema: a missing one is null, and text is read as the type where it comes from a file.
 * @throws BAD_USER_INPUT on an unknown field or a value of another type
 */
export function checkedValues(
  view: Pick<FeatureViewRecord, 'name' | 'fields'>,
  values: Readonly<Record<string, unknown>>,
  path: string,
): FeatureValues {
  const unknown = Object.keys(values).find((name) => !view.fields.some((field) => field.name === name));
  if (unknown !== undefined)
    throw badInput(
      `${path}.${unknown}`,
      `The view ${view.name} has no field ${unknown}; it has ${view.fields.map((f) => f.name).join(', ')}.`,
    );
  return Object.fromEntries(
    view.fields.map(({ name, type }) => {
      const value = own(values, name) ?? null;
      const read = value === null || value === '' ? null : readValue(value, type);
      if (read === undefined)
        throw badInput(`${path}.${name}`, `${name} must be ${DESCRIPTIONS[type]}, not ${JSON.stringify(value)}.`);
      return [name, read];
    }),
  );
}

/** jsonb keeps keys in an order of its own; prompts need the schema's. */
export const inSchemaOrder = ({ fields }: Pick<FeatureViewRecord, 'fields'>, values: FeatureValues): FeatureValues =>
  Object.fromEntries(fields.map(({ name }) => [name, own(values, name) ?? null]));

const DESCRIPTIONS: Readonly<Record<FeatureType, string>> = {
  [FeatureType.STRING]: 'a text of at most 2,000 characters',
  [FeatureType.INTEGER]: 'a whole number below 2^53',
  [FeatureType.FLOAT]: 'a finite number',
  [FeatureType.BOOLEAN]: 'true or false',
  [FeatureType.TIMESTAMP]: 'a date and time (ISO 8601)',
};

/** Undefined for what isn't of the type. */
// whole: one case a type of feature.
function readValue(value: unknown, type: FeatureType): FeatureValue | undefined {
  switch (type) {
    case FeatureType.STRING:
      return typeof value === 'string' && value.length <= 2000 && !value.includes('\0') && value.isWellFormed()
        ? value
        : undefined;
    case FeatureType.INTEGER: {
      const number = typeof value === 'string' && /^[-+]?\d{1,16}$/.test(value) ? Number(value) : value;
      return Number.isSafeInteger(number) ? (number as number) : undefined;
    }
    case FeatureType.FLOAT: {
      const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
      return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
    }
    case FeatureType.BOOLEAN:
      if (typeof value === 'boolean') return value;
      return value === 'true' ? true : value === 'false' ? false : undefined;
    case FeatureType.TIMESTAMP: {
      const time = typeof value === 'string' ? readTime(value) : null;
      return time === null || Number.isNaN(time) ? undefined : new Date(time).toISOString();
    }
  }
}

/**
 * Features as lines of a prompt, `customer_plans: plan grower, seats 7`: training and serving both go through this.
 * Views in the given order, fields in that of the view's schema; null values and empty views are left out. A value stays on
 * its line, so that it can't forge a line of another kind.
 */
export function renderFeatures(views: readonly { view: string; values: FeatureValues | null }[]): string {
  return views
    .flatMap(({ view, values }) => {
      const entries = Object.entries(values ?? {}).filter(([, value]) => value !== null);
      return entries.length > 0
        ? [`${view}: ${entries.map(([name, value]) => `${name} ${oneLine(String(value))}`).join(', ')}`]
        : [];
    })
    .join('\n');
}
