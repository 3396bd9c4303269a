export { checkOrigin, type OriginPolicy } from './origins.js';
