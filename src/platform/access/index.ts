export { identifyCaller } from './caller.js';
export { checkOrigin, type OriginPolicy } from './origins.js';
