const CONTACT = /^\s*(mailto|tel):([^?;]*)/i;
/** More than an address or a number has. */
const MAX_LENGTH = 320;
/** So many digits are a telephone number, with or without its country. */
const MIN_DIGITS = 6;

/** Whether a link leads to an address or a number rather than a page. */
export const isContactLink = (href: string | null | undefined): boolean => CONTACT.test(href ?? '');

/** The address or number behind a link in parentheses, to stand behind its text; empty where the text says it, or where there is none. */
export function contactBeside(text: string, href: string): string {
  const [, scheme = '', encoded = ''] = CONTACT.exec(href) ?? [];
  const contact = decoded(encoded).trim();
  if (contact === '' || contact.length > MAX_LENGTH) return '';
  const isRepeated = scheme.toLowerCase() === 'tel' ? saysNumber(text, contact) : saysAddress(text, contact);
  return isRepeated ? '' : ` (${contact})`;
}

const saysAddress = (text: string, address: string): boolean => text.toLowerCase().includes(address.toLowerCase());

/** `0800 555 123` says `+44800555123`: its country is known where it is called. */
function saysNumber(text: string, number: string): boolean {
  const [visibleDigits, called] = [text, number].map((value) => value.replace(/\D/g, ''));
  const local = visibleDigits!.replace(/^0+/, '');
  return visibleDigits!.includes(called!) || (local.length >= MIN_DIGITS && called!.endsWith(local));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
