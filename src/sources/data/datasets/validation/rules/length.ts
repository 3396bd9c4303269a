import { taskOf, textFields } from '../../tasks/index.js';
import { fromColumns } from '../../rows/row-table.js';
import { flagRows } from '../flags.js';
import { Severity, type RowRule, type TableRule } from '../rule.js';

export const EMPTY_FIELD: RowRule = {
  id: 'empty-field',
  severity: Severity.ERROR,
  meaning: 'A text or a label is empty or blank.',
  cure: 'Fill it in or remove the row.',
  check(row) {
    const gap = taskOf(row.task).gap(row);
    if (gap !== null) return gap;
    const empty = textFields(row).find(([, text]) => text.trim() === '');
    return empty ? `${empty[0]} is empty` : null;
  },
};

/**
 * Too long for the model. A byte-level tokenizer never makes more tokens than bytes, so only rows with more UTF-8 bytes
 * than tokens allowed are counted; without a tokenizer at hand four bytes are taken for a token.
 */
export const TOO_LONG: TableRule = {
  rules: [
    {
      id: 'too-long',
      severity: Severity.ERROR,
      meaning: 'The example has more tokens than the model takes.',
      cure: 'Shorten it, split it, or raise `maxTokens` if the model has room.',
    },
  ],
  async inspect({ engine, settings, countTokens }) {
    const suspects = engine.stream<{ ordinal: number; text: string; label: string | null; body: string }>(
      `SELECT ordinal, text, label, body FROM rows WHERE fault IS NULL AND strlen(text) + strlen(body) > ?`,
      [settings.maxTokens],
    );
    await flagRows(engine, suspects, async (batch) => {
      const texts = batch.map((r) =>
        textFields(fromColumns(settings.task, r))
          .map(([, text]) => text)
          .join('\n'),
      );
      const counts = countTokens
        ? await countTokens(texts)
        : texts.map((text) => Math.ceil(Buffer.byteLength(text) / 4));
      return batch.flatMap((r, i) =>
        counts[i]! > settings.maxTokens
          ? [
              {
                ordinal: r.ordinal,
                rule: 'too-long',
                note: `${countTokens ? '' : 'about '}${counts[i]} tokens, at most ${settings.maxTokens}`,
                related: null,
              },
            ]
          : [],
      );
    });
    return [];
  },
};
