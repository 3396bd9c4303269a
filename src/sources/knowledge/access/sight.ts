/**
 * Which live documents of some collections a reader sees, as the shorter of two lists of their ids: of those that are seen, or of those that
 * are hidden.
 */
export interface Sight {
  listed: 'SEEN' | 'HIDDEN';
  ids: readonly string[];
  /** The same by collection; collections of which none is listed are missing. */
  of: Readonly<Record<string, readonly string[]>>;
}

export const ALL_SEEN: Sight = { listed: 'HIDDEN', ids: [], of: {} };

export const sightBy = (listed: Sight['listed'], idsByCollection: Sight['of']): Sight => ({
  listed,
  of: idsByCollection,
  ids: Object.values(idsByCollection).flat(),
});

/** Of one collection. */
export const sightIn = ({ listed, of }: Sight, collectionId: string): Sight =>
  sightBy(listed, { [collectionId]: of[collectionId] ?? [] });

export const seesAll = ({ listed, ids }: Sight): boolean => listed === 'HIDDEN' && ids.length === 0;

/** Those of these documents that are seen, in their order. */
export function seenAmong({ listed, ids }: Sight, documentIds: readonly string[]): string[] {
  const idSet = new Set(ids);
  return documentIds.filter((id) => idSet.has(id) === (listed === 'SEEN'));
}

/**
 * The condition that a document `d` is seen, the list being this parameter: a statement by it has a name for each kind of list. The subquery
 * is hashed, which `= ANY` isn't, nor a list that PostgreSQL joins in the belief that it has ten elements.
 */
export const isSeen = ({ listed }: Sight, parameter: string): string =>
  `(d.id IN (SELECT unnest(${parameter}::uuid[]))) IS ${listed === 'SEEN' ? 'TRUE' : 'FALSE'}`;
