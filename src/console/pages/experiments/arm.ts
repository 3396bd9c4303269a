import type { CreateExperimentInput, ExperimentScopeQuery, Strategy } from '../../generated/operations';
import { STRATEGY_NAMES } from '../ask/names';

type Arm = CreateExperimentInput['arms'][number];

/** Whose questions: those that leave everything to Graft. */
export const AUTO = 'AUTO';
/** UTF-16 units of an arm's name. */
const MAX_NAME = 63;

/** What a test compares with production, as the address holds it; empty where nothing is changed. */
export interface PlannedArm {
  /** Name of the adapter whose production's questions are drawn; null: those that leave everything to Graft. */
  adapter: string | null;
  /** What the second arm changes; null: nothing yet. */
  arm: Arm | null;
}

const isStrategy = (value: string | null): value is Strategy => value !== null && value in STRATEGY_NAMES;

export function armOf(params: URLSearchParams): PlannedArm {
  const version = params.get('version');
  const model = params.get('model');
  const number = (name: string): number | null => {
    const given = params.get(name);
    return given === null || given === '' || !Number.isFinite(Number(given)) ? null : Number(given);
  };
  const given = params.get('strategy');
  const strategy = isStrategy(given) ? given : null;
  const [denseWeight, maxTokens, temperature] = [number('dense'), number('tokens'), number('temperature')];
  const generation = {
    ...(maxTokens !== null && { maxTokens }),
    ...(temperature !== null && { temperature }),
  };
  const changed = [
    version,
    strategy && STRATEGY_NAMES[strategy],
    model,
    denseWeight !== null && `dense ${denseWeight}`,
    maxTokens !== null && `${maxTokens} tokens`,
    temperature !== null && `temperature ${temperature}`,
  ].filter((each) => typeof each === 'string');
  const whose = params.get('questions') ?? version?.split('@')[0] ?? AUTO;
  return {
    adapter: whose === AUTO ? null : whose,
    arm:
      changed.length === 0
        ? null
        : {
            name: changed.join(', ').slice(0, MAX_NAME),
            ...(version !== null && { adapter: version }),
            ...(strategy !== null && { strategy }),
            ...(model !== null && { model }),
            ...(denseWeight !== null && { denseWeight }),
            ...(Object.keys(generation).length > 0 && { generation }),
          },
  };
}

/** Attested versions that aren't production, newest first; those of one adapter alone where its questions are drawn. */
export const versionsOf = (scope: ExperimentScopeQuery | undefined, adapter: string | null) =>
  (scope?.adapters.edges ?? []).flatMap(({ node: { name, versions } }) =>
    adapter !== null && adapter !== name
      ? []
      : versions
          .filter(({ aliases, attestation }) => attestation !== null && !aliases.includes('PRODUCTION'))
          .map(({ version }) => `${name}@${version}`),
  );

/** Adapters that answer somebody. */
export const producing = (scope: ExperimentScopeQuery | undefined): string[] =>
  (scope?.adapters.edges ?? []).flatMap(({ node: { name, versions } }) =>
    versions.some(({ aliases }) => aliases.includes('PRODUCTION')) ? [name] : [],
  );

export const modelsOf = (scope: ExperimentScopeQuery | undefined): string[] =>
  (scope?.models.edges ?? []).flatMap(({ node: { name, variants } }) =>
    variants.map(({ quantization }) => `${name}@${quantization}`),
  );
