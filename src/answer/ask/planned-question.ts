import type { QueryVector } from '../../sources/knowledge/index.js';
import type { Abstention, RouteDecision } from './answer.js';
import type { Plan } from './plan.js';
import type { Question } from './question.js';
import type { RetrievalResult } from './read/retrieve.js';
import type { ChosenWording } from './route/choose-wording.js';

/** A question of which all is decided: the stages that follow run from this alone. */
export interface PlannedQuestion {
  plan: Plan;
  /** Under the bound that an error rate comes to. */
  question: Question;
  /** Why nothing is read: nobody is to be asked, an error rate is wanted that nothing shows to be kept, or the message is none of the adapter's. */
  refusal: Abstention | null;
  route: RouteDecision;
  vector: () => Promise<QueryVector>;
  /** Passages that were looked at already; null when none were. */
  passages: RetrievalResult | null;
  /** Whose words the answer has; null where no base model words one from documents. */
  wording: ChosenWording['by'] | null;
  /** The weight of meaning that a draw gave; null where collections have their own. */
  denseWeight: number | null;
}
