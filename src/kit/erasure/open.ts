import { defineDomain, offer, type Offer } from '../domain/index.js';
import type { Platform } from '../../platform/platform.js';
import { ErasureRunResolver, erasureRuns } from './erasure-graphql.js';

export const erasureDomain = defineDomain({ classes: [ErasureRunResolver], runs: [erasureRuns] });

/** Open what holds copies first: holders and subjects register with `platform.erasure`. */
export const openErasure = ({ runs, erasure }: Platform): { offer: Offer } => ({
  offer: offer(erasureDomain, runs, { erasure }),
});
