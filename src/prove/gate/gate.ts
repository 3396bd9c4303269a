/*
 * The gate. A version becomes `candidate` when it was shown to act, answers its task better than what it would replace (the
 * production version, or the base model while there is none), and has not forgotten more than the bounds allow. It becomes
 * `production` when it is or was candidate and was held against just what production names now. Whoever forces it says why; what
 * failed is kept with the change. What was never shown to act can't be forced.
 */
import { z } from 'zod';
import { GraftError, notFound } from '../../kernel/errors.js';
import type { WorkspaceId } from '../../kernel/ids.js';
import type {
  AdapterRegistry,
  AdapterRow,
  AdapterVersionRow,
  Alias,
  AliasChangeRow,
} from '../../sources/registry/index.js';
import { sameScale, type EvaluationRecord, type EvaluationStore } from '../evaluations/evaluation-store.js';
import { storedFigures } from '../evaluations/figures.js';
import { bounds, check, DEFAULT_BOUNDS, judge, type GateBounds, type GateCheck } from './judge.js';
import { simplerMethod, simplerMethods } from './simpler.js';

interface GateParts {
  adapters: AdapterRegistry;
  evaluations: Pick<EvaluationStore, 'newestAgainst' | 'triesAgainst'>;
}

/** What a move of an alias rested on; kept with it. */
export const evidence = z.object({
  v: z.literal(1),
  forced: z.boolean(),
  /** The version that it was held against; null: the base model. */
  replacedVersionId: z.string().nullable(),
  evaluationId: z.string().nullable(),
  bounds,
  checks: z.array(check),
  /** What methods without a language model get on the same rows, where the version replaces none. */
  simpler: z.array(simplerMethod).default([]),
  /** Whether somebody confirmed that it answers although one of them is as good. */
  confirmed: z.boolean().default(false),
});
export type GateEvidence = z.infer<typeof evidence>;
type GateOutcome = Omit<GateEvidence, 'v' | 'forced' | 'confirmed'> & { passed: boolean };

export interface PromotionRequest {
  adapter: string;
  version: number;
  alias: Alias;
  by: string;
  reason: string;
  /** Moves the alias whatever failed, and writes down that it did. */
  force: boolean;
  /** Lets a first version answer although it isn't shown to be better than a method without a language model. */
  confirmNotBetter?: boolean;
  bounds?: Partial<GateBounds>;
}

export class Gate {
  constructor(private readonly parts: GateParts) {}

  /** How a version stands at the gate now, against what production names. */
  async verdict(
    workspaceId: WorkspaceId,
    version: AdapterVersionRow,
    limits: Partial<GateBounds> = {},
  ): Promise<GateOutcome> {
    const { adapters, evaluations } = this.parts;
    const [adapter] = await adapters.store.byIds(workspaceId, [version.adapterId]);
    if (!adapter) throw notFound('The adapter', version.adapterId);
    const replaced = await this.#replaced(adapter, version);
    const current = await this.#currentEvaluation(workspaceId, version, replaced);
    const effectiveBounds = bounds.parse({ ...DEFAULT_BOUNDS, ...limits });
    const evaluation = current && { rows: current.rows, figures: storedFigures.decode(current.figures) };
    const checks = judge(
      {
        attested: version.attestation !== null,
        evaluation,
        tries: current ? await evaluations.triesAgainst(current, adapter.id) : 1,
        replaced: replaced ? `${adapter.name}@${replaced.version}` : 'the base model',
      },
      effectiveBounds,
    );
    return {
      passed: checks.every(({ passed }) => passed),
      checks,
      bounds: effectiveBounds,
      simpler: evaluation && !replaced ? simplerMethods(evaluation.figures) : [],
      replacedVersionId: replaced?.id ?? null,
      evaluationId: current?.id ?? null,
    };
  }

  /**
   * Moves an alias, if the gate lets the version through or is forced. A first version that isn't shown to be better than a method without
   * a language model answers as production only where that is confirmed.
   * @throws GATE_REFUSED with each number that failed and its bound; NOT_FOUND, BAD_USER_INPUT; CONFLICT when someone else moves it
   * at the same time, and when the version was never attested
   */
  async promote(workspaceId: WorkspaceId, wish: PromotionRequest): Promise<AliasChangeRow> {
    const { adapters } = this.parts;
    const adapter = await adapters.require(workspaceId, wish.adapter, 'input.adapter');
    const version = await adapters.store.resolve(adapter, { version: wish.version });
    if (!version) throw notFound('The adapter version', `${wish.adapter}@${wish.version}`, 'input.version');
    const currentVersion = await adapters.store.resolve(adapter, { alias: wish.alias });
    const gateEvidence =
      wish.alias === 'candidate'
        ? await this.#asCandidate(workspaceId, version, wish)
        : confirmed(await this.#asProduction(workspaceId, adapter, version, wish), wish);
    const { adapter: name, version: number, alias, by, reason } = wish;
    const promotion = { adapter: name, version: number, alias, by, reason, evidence: gateEvidence };
    return adapters.promote(workspaceId, { ...promotion, replaces: currentVersion?.id ?? null });
  }

  /**
   * What lets a version take production’s place: that it was shown to act, and passed the gate, or was forced through it by somebody, against
   * just what production names now. How it does beside simpler methods is part of that, for whoever approves.
   * @throws GATE_REFUSED, CONFLICT when it was never attested
   */
  async admits(workspaceId: WorkspaceId, adapter: AdapterRow, version: AdapterVersionRow): Promise<GateEvidence> {
    if (version.attestation === null)
      throw new GraftError('CONFLICT', `${adapter.name}@${version.version} was never shown to act on its base model.`, {
        field: 'input.candidate',
        hint: 'Attest it first.',
      });
    const wish = { adapter: adapter.name, version: version.version, alias: 'production' as const };
    return this.#asProduction(workspaceId, adapter, version, { ...wish, by: '', reason: '', force: false });
  }

  async #asCandidate(
    workspaceId: WorkspaceId,
    version: AdapterVersionRow,
    wish: PromotionRequest,
  ): Promise<GateEvidence> {
    const { passed, ...verdict } = await this.verdict(workspaceId, version, wish.bounds);
    if (!passed && !wish.force) throw refused(verdict.checks.filter((gateCheck) => !gateCheck.passed));
    return { v: 1, forced: !passed, confirmed: false, ...verdict };
  }

  async #asProduction(
    workspaceId: WorkspaceId,
    adapter: AdapterRow,
    version: AdapterVersionRow,
    wish: PromotionRequest,
  ): Promise<GateEvidence> {
    const change = await this.parts.adapters.store.newestMoveTo(adapter, 'candidate', version.id);
    const replaced = await this.#replaced(adapter, version);
    const result = change && evidence.safeParse(change.evidence);
    if (result?.success && result.data.replacedVersionId === (replaced?.id ?? null)) return result.data;
    if (!wish.force)
      throw refused([
        {
          measured: false,
          message: change
            ? 'It passed the gate against another version than the one that answers now: evaluate it against that one, and promote it to candidate again.'
            : 'It was never candidate: promote it to candidate first, where the gate looks at it.',
        },
      ]);
    const { passed: _, ...verdict } = await this.verdict(workspaceId, version, wish.bounds);
    return { v: 1, forced: true, confirmed: false, ...verdict };
  }

  /** The newest evaluation that still speaks of both: at another scale either of them is another adapter. */
  async #currentEvaluation(
    workspaceId: WorkspaceId,
    version: AdapterVersionRow,
    replaced: AdapterVersionRow | null,
  ): Promise<EvaluationRecord | null> {
    const newest = await this.parts.evaluations.newestAgainst(workspaceId, version.id, replaced?.id ?? null);
    const holds = newest?.scale === version.scale && sameScale(newest.againstScale, replaced?.scale);
    return holds ? newest : null;
  }

  /** What the version would replace; it does not replace itself. */
  async #replaced(adapter: AdapterRow, version: AdapterVersionRow): Promise<AdapterVersionRow | null> {
    const production = await this.parts.adapters.store.resolve(adapter, { alias: 'production' });
    return production?.id === version.id ? null : production;
  }
}

/** @throws GATE_REFUSED where a simpler method does as well, and nobody said that it shall answer all the same */
function confirmed(gateEvidence: GateEvidence, { force, confirmNotBetter = false }: PromotionRequest): GateEvidence {
  const asGood = gateEvidence.simpler.filter(({ better }) => !better);
  if (asGood.length === 0) return gateEvidence;
  if (confirmNotBetter) return { ...gateEvidence, confirmed: true };
  if (force) return { ...gateEvidence, forced: true };
  const messages = asGood.map(({ message }) => message).join(' ');
  throw new GraftError('GATE_REFUSED', `${messages} That method needs no training. Promote it all the same?`, {
    field: 'input.confirmNotBetter',
    hint: 'Set confirmNotBetter if it shall answer all the same; or ask the nearest rows: strategy RAG with the dataset, once indexDataset indexed it.',
  });
}

/** What fails is told before what wasn't measured yet; where nothing fails, nothing is said against the version. */
function refused(stops: readonly Pick<GateCheck, 'measured' | 'message'>[]): GraftError {
  const failed = stops.filter(({ measured }) => measured);
  const missing = stops.filter(({ measured }) => !measured);
  const verdict = failed.length > 0 ? 'The gate refuses this version.' : 'The gate can’t judge this version yet.';
  return new GraftError('GATE_REFUSED', [verdict, ...[...failed, ...missing].map(({ message }) => message)].join(' '), {
    field: 'input.version',
    hint: 'docs/prove-and-ship.md says what mends each; or set force, and say under reason why it shall answer all the same.',
  });
}
