import { textFields } from '../../tasks/index.js';
import { Severity, type RowRule } from '../rule.js';

/** Tokens by which the chat templates of open models part roles and turns (ChatML, Llama 2 and 3, Gemma, Phi, Zephyr, Mistral, Cohere). */
const CHAT_TOKEN =
  /<\|[a-z_]{2,40}(?:\|>|｜>)|<｜[^<>]{2,40}｜>|\[\/?INST\]|<<\/?SYS>>|<\/?s>|<(?:start|end)_of_turn>|<(?:bos|eos|pad|unk)>|\[(?:AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]|<\|(?:START|END)_[A-Z_]+\|>/i;

export const CHAT_TEMPLATE_TOKEN: RowRule = {
  id: 'chat-template-token',
  severity: Severity.ERROR,
  meaning: 'The text holds a token of a chat template: it was formatted before, or tries to pose as another role.',
  cure: 'Remove the tokens; the template is added in training and at serving.',
  check(row) {
    for (const [field, text] of textFields(row)) {
      const match = text.includes('<') || text.includes('[') ? CHAT_TOKEN.exec(text) : null;
      if (match) return `${match[0]} in ${field} at ${match.index}`;
    }
    return null;
  },
};
