/** The addresses that OpenAI's clients speak. */
export { openAiParts } from './open.js';
export { addOpenAi, type OpenAiParts } from './routes.js';
