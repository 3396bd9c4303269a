import { badInput } from '../../../kernel/errors.js';
import type { WorkspaceId } from '../../../kernel/ids.js';
import { renderFeatures, type FeatureService } from '../../../sources/data/index.js';
import type { FeatureUsed } from '../answer.js';
import type { Work } from '../parts.js';
import type { Question } from '../question.js';

/** What is known of the entity that a question is about. */
export interface Facts {
  used: FeatureUsed[];
  /** As it stands in the prompt: a line a view; empty when nothing is known or nothing was asked for. */
  text: string;
}

/** UTF-16 units; the model reads every one of them before its first word. */
const MAX_FACT_CHARACTERS = 4_000;

const NO_FACTS: Facts = { used: [], text: '' };

/** What is known of the entity that a question names, as a stage of its answer. @throws what `readFacts` throws */
export async function lookUpFacts(
  { watch, features, workspaceId }: Work,
  { entity, features: views }: Question,
): Promise<Facts> {
  if (entity === null) return NO_FACTS;
  return watch.time('features', () => readFacts(features, workspaceId, entity, views));
}

/**
 * What the feature views say of the entity now, rendered by the template of training.
 * @throws NOT_FOUND for a view that the workspace doesn't have, BAD_USER_INPUT when they say too much
 */
async function readFacts(
  features: Pick<FeatureService, 'read'>,
  workspaceId: WorkspaceId,
  entity: string,
  views: readonly string[],
): Promise<Facts> {
  const read = await features.read(workspaceId, entity, views, { field: 'input.features' });
  const used = read.map(({ view, values, row }) => ({
    view,
    entity,
    values,
    eventTime: row?.eventTime.toISOString() ?? null,
  }));
  const text = renderFeatures(read);
  if (text.length > MAX_FACT_CHARACTERS)
    throw badInput(
      'input.features',
      `The views say ${text.length} characters of ${entity}; at most ${MAX_FACT_CHARACTERS} are told to the model.`,
      'Name fewer views, or keep what the model need not know in views of its own.',
    );
  return { used, text };
}
