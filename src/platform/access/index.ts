export { identifyCaller, type Caller } from './caller.js';
export { checkOrigin, type OriginPolicy } from './origins.js';
