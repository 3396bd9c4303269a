import type { ResolverList } from '../graphql-kit/index.js';
import { AttestationRunResolver, type AttestationResolverParts } from './attestation/attestation-graphql.js';

/** The resolvers of this domain. */
export const evaluationResolvers: ResolverList<AttestationResolverParts> = {
  classes: [AttestationRunResolver],
};
