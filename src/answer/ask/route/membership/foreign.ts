import { embedderDigest, type QueryVector } from '../../../../sources/knowledge/index.js';
import type { Abstention } from '../../answer.js';
import { foreign } from '../../abstention.js';
import type { Work } from '../../parts.js';
import type { Plan } from '../../plan.js';
import type { Question } from '../../question.js';
import { membershipOf } from './membership.js';

/** Share of an adapter's own messages that may be refused, so that others are, where the caller says nothing. */
export const OWN_REFUSED = 0.05;

/**
 * Refuses a message that is none of the adapter's own: fewer of its held-out messages than the caller allows look as foreign (conformal
 * p-value). Whoever asks with another's rows or with documents is not asking for what the adapter learned alone.
 * @returns null where it is an own one, or nothing was learned of the version's messages
 */
export async function foreignRefusal(
  { memberships, registry, workspaceId }: Pick<Work, 'memberships' | 'registry' | 'workspaceId'>,
  { adaptation, scope }: Plan,
  { maxOwnRefused }: Question,
  vector: () => Promise<QueryVector>,
): Promise<Abstention | null> {
  const threshold = maxOwnRefused ?? OWN_REFUSED;
  if (adaptation === null || scope !== null || threshold === 0) return null;
  const { versionId, adapter, version } = adaptation.adapter;
  const model = await memberships.of(workspaceId, versionId, embedderDigest(registry.embedder()));
  if (model === null) return null;
  const { pValue, probability } = membershipOf(model, (await vector()).vector);
  return pValue < threshold ? foreign(`${adapter}@${version}`, { pValue, probability }, threshold) : null;
}
