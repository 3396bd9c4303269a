/** The operations as tools for agents. */
export { addMcp } from './routes.js';
