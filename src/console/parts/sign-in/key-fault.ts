/** What a header can say: other characters, as a page or a mail puts them between, are refused by the browser before anything is sent. */
const SAYABLE = /^[\x21-\x7e]+$/;

/** Why no request can be sent with such a key; null where one can. The gateway says whether it takes it. */
export const keyFault = (key: string): string | null =>
  SAYABLE.test(key)
    ? null
    : 'This holds characters that no key has, maybe ones that can’t be seen. Copy the key again, from where it was shown, and nothing around it.';
