import type { CreateExperimentInput, Strategy } from '../../generated/operations';
import type { AdapterChoice } from '../../parts/choices';
import { STRATEGY_NAMES } from '../ask/names';

type Arm = CreateExperimentInput['arms'][number];

/** Whose questions: those that leave everything to Graft. */
export const AUTO = 'AUTO';
/** UTF-16 units of an arm's name. */
const MAX_NAME = 63;

/** What a test compares with production, as the address holds it; empty where nothing is changed. */
interface PlannedArm {
  /** Name of the adapter whose production's questions are drawn; null: those that leave everything to Graft. */
  adapter: string | null;
  /** What the second arm changes; null: nothing yet. */
  arm: Arm | null;
}

const isStrategy = (value: string | null): value is Strategy => value !== null && value in STRATEGY_NAMES;

const numberIn = (params: URLSearchParams, name: string): number | null => {
  const text = params.get(name);
  return text === null || text === '' || !Number.isFinite(Number(text)) ? null : Number(text);
};

export function armOf(params: URLSearchParams): PlannedArm {
  const [version, model, strategyName] = [params.get('version'), params.get('model'), params.get('strategy')];
  const strategy = isStrategy(strategyName) ? strategyName : null;
  const denseWeight = numberIn(params, 'dense');
  const maxTokens = numberIn(params, 'tokens');
  const temperature = numberIn(params, 'temperature');
  // What each change is called, and what it is to the API; nothing where it isn't wanted.
  const changes: (readonly [string, Omit<Arm, 'name'>])[] = [
    ...(version === null ? [] : [[version, { adapter: version }] as const]),
    ...(strategy === null ? [] : [[STRATEGY_NAMES[strategy], { strategy }] as const]),
    ...(model === null ? [] : [[model, { model }] as const]),
    ...(denseWeight === null ? [] : [[`dense ${denseWeight}`, { denseWeight }] as const]),
    ...(maxTokens === null ? [] : [[`${maxTokens} tokens`, { generation: { maxTokens } }] as const]),
    ...(temperature === null ? [] : [[`temperature ${temperature}`, { generation: { temperature } }] as const]),
  ];
  const questionSource = params.get('questions') ?? version?.split('@')[0] ?? AUTO;
  const generation = Object.assign({}, ...changes.map(([, { generation }]) => generation)) as Arm['generation'];
  return {
    adapter: questionSource === AUTO ? null : questionSource,
    arm:
      changes.length === 0
        ? null
        : {
            ...(Object.assign({}, ...changes.map(([, change]) => change)) as Omit<Arm, 'name'>),
            ...(Object.keys(generation ?? {}).length > 0 && { generation }),
            name: changes
              .map(([name]) => name)
              .join(', ')
              .slice(0, MAX_NAME),
          },
  };
}

/** Attested versions that aren't production, newest first; those of one adapter alone where its questions are drawn. */
export const versionsOf = (adapters: readonly AdapterChoice[], adapter: string | null): string[] =>
  adapters.flatMap(({ name, versions }) =>
    adapter !== null && adapter !== name
      ? []
      : versions
          .filter(({ aliases, attestation }) => attestation !== null && !aliases.includes('PRODUCTION'))
          .map(({ version }) => `${name}@${version}`),
  );
