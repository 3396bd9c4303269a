/** The addresses that OpenAI's clients speak. */
export { openAiChores, openAiParts } from './open.js';
export { addOpenAi } from './routes.js';
