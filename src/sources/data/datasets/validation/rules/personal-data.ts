import { findPii, type PiiKind } from '../../pii/find-pii.js';
import { textFields, type TaskRow } from '../../tasks/index.js';
import { Severity, type RowRule } from '../rule.js';

function kindsIn(row: TaskRow, kinds: readonly PiiKind[]): string | null {
  const notes = textFields(row).flatMap(([field, text]) =>
    findPii(text)
      .filter((match) => kinds.includes(match.kind))
      .map(({ kind, start, end }) => `${kind} at ${field} ${start}..${end}`),
  );
  return notes.length > 0 ? notes.slice(0, 5).join(', ') : null;
}

export const PERSONAL_DATA: RowRule = {
  id: 'personal-data',
  severity: Severity.WARNING,
  meaning: 'The text holds an e-mail address or a telephone number.',
  cure: 'Declare the step MASK_PII, or leave it in knowingly.',
  check: (row) => kindsIn(row, ['EMAIL', 'PHONE']),
};

/** A model that learned a card number or a key may say it to anyone: these rows are never trained on unmasked. */
export const SECRET: RowRule = {
  id: 'secret',
  severity: Severity.ERROR,
  meaning: 'The text holds a payment card, an IBAN, a key or a password.',
  cure: 'Declare the step MASK_PII or remove the row, and revoke the key.',
  check: (row) => kindsIn(row, ['CARD', 'IBAN', 'KEY']),
};
