import { GraftError } from '../../kernel/errors.js';
import { newId, type Uuid } from '../../kernel/ids.js';
import type { CheckedFeedback, GivenSource } from './feedback.js';

/** A row that is there, as far as a new one has to know it. */
export interface StandingRow {
  id: Uuid;
  digest: string;
}

/** What there is before feedback is written: rows by the keys of `standingKey` and `idempotencyKey`. */
export interface ExistingFeedback {
  standing: ReadonlyMap<string, StandingRow>;
  keyed: ReadonlyMap<string, StandingRow>;
}

/** Feedback that is to be written. */
export interface Write {
  id: Uuid;
  feedback: CheckedFeedback;
  overridesId: Uuid | null;
  /** Whether another one of the same call replaces it. */
  superseded: boolean;
}

interface Writes {
  writes: Write[];
  /** Rows that are there already and are replaced. */
  superseded: Uuid[];
  /** For each feedback, in order, the row that it became or was already. */
  ids: Uuid[];
}

type Named = Omit<GivenSource, 'givenByName'>;

const of = ({ givenBy, kind, name }: Named): string => `${givenBy} ${kind} ${JSON.stringify(name)}`;

/** One source has one standing feedback of a kind on a thing. */
export const standingKey = ({ answerId, conversationId, kind, source }: Omit<Spoken, 'key'>): string =>
  `${answerId ?? JSON.stringify(conversationId)} ${kind} ${of(source)}`;

/** A key is its source's own. */
export const idempotencyKey = ({ source, key }: { source: Named; key: string }): string =>
  `${of(source)} ${JSON.stringify(key)}`;

type Spoken = Pick<CheckedFeedback, 'answerId' | 'conversationId' | 'kind' | 'key'> & { source: Named };

/**
 * What is to be written, in the order of the call: under a key that is known nothing, and nothing where the source says what it
 * says already; anything else replaces what the source said before.
 * @throws IDEMPOTENCY_CONFLICT where a key stands for something else
 */
export function planWrites(entries: readonly CheckedFeedback[], existingFeedback: ExistingFeedback): Writes {
  const standing = new Map(existingFeedback.standing);
  const keyed = new Map(existingFeedback.keyed);
  const writes = new Map<Uuid, Write>();
  const superseded: Uuid[] = [];
  const ids = entries.map((feedback): Uuid => {
    const { digest, key, source } = feedback;
    const place = standingKey(feedback);
    const previousRow = standing.get(place);
    const duplicate =
      key === null
        ? previousRow?.digest === digest
          ? previousRow
          : undefined
        : keyed.get(idempotencyKey({ source, key }));
    if (duplicate) {
      if (duplicate.digest !== digest) throw keyTaken(feedback);
      return duplicate.id;
    }
    const id = newId();
    if (previousRow) {
      const earlier = writes.get(previousRow.id);
      if (earlier) earlier.superseded = true;
      else superseded.push(previousRow.id);
    }
    writes.set(id, { id, feedback, overridesId: previousRow?.id ?? null, superseded: false });
    standing.set(place, { id, digest });
    if (key !== null) keyed.set(idempotencyKey({ source, key }), { id, digest });
    return id;
  });
  return { writes: [...writes.values()], superseded, ids };
}

const keyTaken = ({ field }: CheckedFeedback): GraftError =>
  new GraftError('IDEMPOTENCY_CONFLICT', 'This source used the key before for other feedback.', {
    field: `${field}.key`,
    hint: 'Use a key of its own for each feedback; without one, the same feedback again is recognised by what it says.',
  });
