import { readChat } from '../../gpu-worker/chat/read-chat.js';
import { describeGguf } from '../../gpu-worker/formats/gguf/describe.js';
import type { ChatForm } from '../../src/worker-protocol/index.js';

/** How the model of a file reads a conversation. Its template is run in this process: for files of the catalogue only. */
export function chatOf(path: string): ChatForm {
  const { chatTemplate: template, bosToken, eosToken } = describeGguf(path);
  return readChat({ template, bosToken, eosToken });
}
