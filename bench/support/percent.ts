/** A share in hundredths, without the sign: `12.0`. */
export const hundredths = (share: number): string => (100 * share).toFixed(1);

/** `12.0 %`: always one decimal, so that columns line up. */
export const percent = (share: number): string => `${hundredths(share)} %`;

/** A difference of two shares in hundredths: `+1.5`, `-0.5`. */
export const signed = (difference: number): string => `${difference > 0 ? '+' : ''}${hundredths(difference)}`;
