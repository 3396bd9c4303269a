/** The loop: from what people say to a better version. */
export { improvementDomain, openImprovement, type Improving } from './open.js';
