/** rho of the normal mixture that is tightest after `sampleSize` observations (Waudby-Smith et al. 2021, appendix B.2, equation 161 of version 7). */
export const rhoFor = (sampleSize: number, alpha: number): number =>
  Math.sqrt((-2 * Math.log(alpha) + Math.log(-2 * Math.log(alpha) + 1)) / sampleSize);
