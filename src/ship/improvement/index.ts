/** The loop: from what people say to a better version. */
export { improvementDomain, openImprovement } from './open.js';
