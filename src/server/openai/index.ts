/** The addresses that OpenAI's clients speak. */
export { openAiParts } from './open.js';
export { addOpenAi } from './routes.js';
