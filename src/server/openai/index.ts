/** The addresses that OpenAI's clients speak. */
export { openAiDomain, openOpenAi } from './open.js';
export { addOpenAi } from './routes.js';
