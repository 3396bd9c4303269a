import { GraftError } from '../../../kernel/errors.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import type { AdapterVersionRow } from '../../../sources/registry/index.js';
import type { ShadowRow } from './shadow.js';
import type { ShadowStore } from './shadow-store.js';

/** Which shadow a rollout wants to stand upon. */
interface ShadowRequest {
  /** Row id of one; null: none is named. */
  shadow?: string | null;
  /** Whether there must be one, named or not. */
  requireShadow?: boolean | null;
}

/**
 * The complete shadow of a candidate beside what it is compared with: the one that is named, else the newest.
 * @returns null where there is none, and none is required
 * @throws NOT_FOUND; CONFLICT when the one that is named hasn’t run to its end or compared other versions, or when the one required is missing
 */
export async function shadowFor(
  shadows: Pick<ShadowStore, 'require' | 'lastOf'>,
  workspaceId: WorkspaceId,
  { shadow, requireShadow }: ShadowRequest,
  { candidate, against }: { candidate: AdapterVersionRow; against: AdapterVersionRow },
): Promise<ShadowRow | null> {
  if (shadow !== null && shadow !== undefined) {
    const row = await shadows.require(workspaceId, shadow, 'input.shadow');
    if (row.candidateId !== candidate.id || row.againstId !== against.id)
      throw new GraftError(
        'CONFLICT',
        `The shadow compared ${row.adapter}@${row.candidateVersion} with version ${row.againstVersion}: the rollout compares ${candidate.version} with ${against.version}.`,
        { field: 'input.shadow', hint: 'Name a shadow of this candidate beside what is production now, or start one.' },
      );
    if (row.status !== 'COMPLETE')
      throw new GraftError(
        'CONFLICT',
        `The shadow is ${row.status}, after ${row.answered} of ${row.leastAnswers} answers.`,
        {
          field: 'input.shadow',
          hint:
            row.status === 'RUNNING'
              ? 'Wait until it is COMPLETE (shadowEvents tells).'
              : 'Start another shadow, and wait until it is COMPLETE.',
        },
      );
    return row;
  }
  const [last = null] = await shadows.lastOf(workspaceId, [[candidate.id, against.id]]);
  if (last || !requireShadow) return last;
  throw new GraftError(
    'CONFLICT',
    `No shadow of version ${candidate.version} beside ${against.version}, which is production, has run to its end.`,
    {
      field: 'input.requireShadow',
      hint: 'Call startShadow for this version, and start the rollout when it is COMPLETE.',
    },
  );
}
