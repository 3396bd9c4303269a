/**
 * What the stages of an answer are called wherever they are timed: in its record, in metrics and, as `ask.retrieve`, in traces. In the order in
 * which they run; an answer has those that its way leads through. The console imports it, so nothing is imported here.
 */
export type AnswerStage =
  | 'claim'
  | 'scope'
  | 'route'
  | 'plan'
  | 'features'
  | 'retrieve'
  | 'evidence'
  | 'check'
  | 'compose'
  | 'generate'
  | 'cite';
