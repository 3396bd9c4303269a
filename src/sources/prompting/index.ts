/** What models are told, and in which form: pure, and one piece of code for serving and for training. */
export { noFormFor, plainChat, renderAccepted, renderChat } from './chat.js';
export { fenced, oneLine } from './fence.js';
export { joinSegments, promptText, type ChatMessage, type StepMessage, type ToolCall } from './segments.js';
export { renderToolChat } from './tool-chat.js';
export type { PromptSegment } from '../../worker-protocol/index.js';
export {
  baseMessages,
  passage,
  passagesMessages,
  PROMPTS_VERSION,
  READ_PASSAGES,
  REFUSAL,
  sentenceMessages,
  toolMessages,
  withFacts,
  withSystem,
  wordingOnly,
  type EarlierTurn,
  type Excerpt,
} from './prompts.js';
