import type { ValidationRule, RowRule, TableRule } from '../rule.js';
import { CHAT_TEMPLATE_TOKEN } from './chat-tokens.js';
import { CONTRADICTION_RULES } from './contradictions.js';
import { DRIFT_RULES } from './drift.js';
import { DUPLICATE_RULES } from './duplicates.js';
import { BROKEN_TEXT, MISREAD_TEXT } from './encoding.js';
import { LABEL_RULES } from './labels.js';
import { LANGUAGE_RULES } from './language.js';
import { LEAK_RULES } from './leaks.js';
import { EMPTY_FIELD, TOO_LONG } from './length.js';
import { PERSONAL_DATA, SECRET } from './personal-data.js';
import { DUPLICATE_ID, SCHEMA_RULES } from './schema.js';
import { OFFSET_MISMATCH, OVERLAPPING_ENTITIES, PLACEMENT_RULES } from './spans.js';
import { SPLIT_RULES } from './splits.js';
import { SUSPECT_LABEL_RULE } from './suspect-labels.js';

/** Rules on one row, applied while it is read. */
export const ROW_RULES: readonly RowRule[] = [
  EMPTY_FIELD,
  BROKEN_TEXT,
  MISREAD_TEXT,
  OFFSET_MISMATCH,
  OVERLAPPING_ENTITIES,
  SECRET,
  PERSONAL_DATA,
  CHAT_TEMPLATE_TOKEN,
];

/** Rules on all rows together, in this order: contradictions and leaks use what the rule on duplicates has found. */
export const TABLE_RULES: readonly TableRule[] = [
  TOO_LONG,
  LABEL_RULES,
  LANGUAGE_RULES,
  DUPLICATE_RULES,
  CONTRADICTION_RULES,
  LEAK_RULES,
  SUSPECT_LABEL_RULE,
  DRIFT_RULES,
  SPLIT_RULES,
];

/** Every rule by id. */
export const RULES: ReadonlyMap<string, ValidationRule> = new Map(
  [...SCHEMA_RULES, DUPLICATE_ID, ...ROW_RULES, ...PLACEMENT_RULES, ...TABLE_RULES.flatMap((rule) => rule.rules)].map(
    (rule) => [
      rule.id,
      {
        id: rule.id,
        severity: rule.severity,
        meaning: rule.meaning,
        cure: rule.cure,
        ...(rule.spares && { spares: rule.spares }),
      },
    ],
  ),
);
