export { identifyCaller, type Caller } from './caller.js';
export { checkOrigin, type OriginHeaders, type OriginPolicy } from './origins.js';
