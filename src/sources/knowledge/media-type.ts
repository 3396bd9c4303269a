/** What tools send for a file that they know nothing of. */
const SAYS_NOTHING = /^\s*(?:(?:application|binary)\/octet-stream|application\/x-www-form-urlencoded)\s*(?:;|$)/i;

/** What a media type says of a file; null where that is nothing, so that name and content decide. */
export const telling = (mediaType: string): string | null => (SAYS_NOTHING.test(mediaType) ? null : mediaType);
