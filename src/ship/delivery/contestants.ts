import { GraftError, notFound } from '../../kernel/errors.js';
import type { AdapterRegistry, AdapterRow, AdapterVersionRow } from '../../sources/registry/index.js';

export interface Contestants {
  candidate: AdapterVersionRow;
  against: AdapterVersionRow;
}

/**
 * The version that is tried and production, which it is held against.
 * @param number of the version; null: what the alias `candidate` names
 * @param hints what to do where there is no candidate, or no production
 * @throws NOT_FOUND, CONFLICT
 */
export async function contestants(
  { store }: Pick<AdapterRegistry, 'store'>,
  adapter: AdapterRow,
  number: number | null,
  hints: { candidate: string; production: string },
): Promise<Contestants> {
  const conflict = (message: string, field: string, hint?: string): GraftError =>
    new GraftError('CONFLICT', message, { field: `input.${field}`, hint });
  const candidate = await store.resolve(adapter, number === null ? { alias: 'candidate' } : { version: number });
  if (!candidate && number !== null)
    throw notFound('The adapter version', `${adapter.name}@${number}`, 'input.candidate');
  if (!candidate) throw conflict(`No version of ${adapter.name} is candidate.`, 'candidate', hints.candidate);
  const production = await store.resolve(adapter, { alias: 'production' });
  if (!production)
    throw conflict(`${adapter.name} has no production version to compare with.`, 'adapter', hints.production);
  if (production.id === candidate.id)
    throw conflict(`${adapter.name}@${candidate.version} is production already.`, 'candidate', 'Name another version.');
  return { candidate, against: production };
}

/** Both versions as columns of what compares them. */
export const pairColumns = ({ id, name, workspaceId }: AdapterRow, { candidate, against }: Contestants) => ({
  workspaceId,
  adapterId: id,
  adapter: name,
  candidateId: candidate.id,
  candidateVersion: candidate.version,
  againstId: against.id,
  againstVersion: against.version,
});
