/** What adapters are worth: that they act, and how well they answer. */
export { attestationRuns } from './attestation/attestation-graphql.js';
export { Attestor, type AttestorParts } from './attestation/attestor.js';
export { evaluationResolvers } from './evaluation-graphql.js';
