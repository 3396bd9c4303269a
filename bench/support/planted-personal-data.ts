import { below, pick, repeat, type Random } from './planted.js';

export type PersonalKind = 'EMAIL' | 'PHONE' | 'CARD' | 'KEY';

/** A text with one piece of personal data at `start`, or (kind null) with what only looks like it. */
export interface PersonalText {
  text: string;
  kind: PersonalKind | null;
  start: number;
  item: string;
}

const DIGITS = '0123456789';
const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const HEX = '0123456789abcdef';
const ALPHANUMERIC = UPPER + LOWER + DIGITS;

/** `of(ALPHANUMERIC, 20)`: so many random characters; `form('555-####')`: each `#` a random digit. */
function writer(random: Random) {
  const of = (alphabet: string, n: number) => repeat(n, () => pick(random, alphabet));
  const form = (pattern: string) => pattern.replace(/#/g, () => pick(random, DIGITS));
  return { of, form, one: <T>(items: readonly T[]) => pick(random, items), below: (n: number) => below(random, n) };
}
type Writer = ReturnType<typeof writer>;

const FIRST = ['ada', 'grace', 'alan', 'edsger', 'barbara', 'niklaus', 'mary', 'tim', 'radia', 'donald'];
const LAST = ['lovelace', 'hopper', 'turing', 'dijkstra', 'liskov', 'wirth', 'shaw', 'lee', 'perlman', 'knuth'];
const DOMAINS = ['example.com', 'mail.example.org', 'example.co.uk', 'my-company.example', 'example.museum', 'x1.io'];

const EMAILS: ((w: Writer) => string)[] = [
  ({ one }) => `${one(FIRST)}.${one(LAST)}@${one(DOMAINS)}`,
  ({ one, form }) => `${one(FIRST)}${form('##')}@${one(DOMAINS)}`,
  ({ one }) => `${one(FIRST)}+bank@${one(DOMAINS)}`,
  ({ one }) => `${one(FIRST)}_${one(LAST)}@${one(DOMAINS)}`,
  ({ one }) => `${one(FIRST)}.o'${one(LAST)}@${one(DOMAINS)}`,
  ({ one }) => `${one(FIRST)}-${one(LAST)}@${one(DOMAINS)}`.toUpperCase(),
  ({ of, form, one }) => `${of(LOWER, 1)}${form('######')}@${one(DOMAINS)}`,
];

/** National forms of the USA, Great Britain, France, Spain, Germany, India and Singapore, and international ones. */
const PHONES = [
  '+44 20 7946 0###',
  '+4420794609##',
  '+1 (415) 555-01##',
  '+1-415-555-01##',
  '+14155550###',
  '(415) 555-01##',
  '415-555-01##',
  '415.555.01##',
  '1-800-555-01##',
  '+34 612 34 5# ##',
  '+33 6 12 34 5# ##',
  '+49 (0)30 1234 5##',
  '+4915112345###',
  '0049 30 12345##',
  '+91 98765 43###',
  '+65 6123 4###',
  '07700 900###',
  '020 7946 0###',
  '01632 960###',
];

/** Beginnings and lengths of Visa, Mastercard (both ranges), American Express, Discover, Diners, JCB, UnionPay. */
const CARDS: [prefix: string, length: number][] = [
  ['4', 16],
  ['4', 16],
  ['51', 16],
  ['55', 16],
  ['2221', 16],
  ['34', 15],
  ['37', 15],
  ['6011', 16],
  ['36', 14],
  ['3530', 16],
  ['62', 16],
];

/** The digit that makes a number pass the check of ISO/IEC 7812-1 (Luhn). */
function checkDigit(body: string): number {
  const sum = [...body].reverse().reduce((total, digit, i) => {
    const value = Number(digit) * (i % 2 === 0 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return (10 - (sum % 10)) % 10;
}

/** A card number as people write it; `wrong` moves its check digit. */
function card({ one, of, below }: Writer, wrong: boolean): string {
  const [prefix, length] = one(CARDS);
  const body = prefix + of(DIGITS, length - prefix.length - 1);
  const last = (checkDigit(body) + (wrong ? 1 + below(9) : 0)) % 10;
  const groups = length === 16 ? /^(.{4})(.{4})(.{4})(.{4})$/ : /^(.{4})(.{6})(.{4,5})$/;
  return (body + String(last))
    .match(groups)!
    .slice(1)
    .join(one(['', ' ', '-']));
}

/** The forms that issuers publish, and a secret that is named as one. */
const KEYS: ((w: Writer) => string)[] = [
  ({ of }) => `AKIA${of(UPPER + '234567', 16)}`,
  ({ of }) => `ghp_${of(ALPHANUMERIC, 36)}`,
  ({ of }) => `github_pat_${of(ALPHANUMERIC, 22)}_${of(ALPHANUMERIC, 59)}`,
  ({ of }) => `glpat-${of(ALPHANUMERIC, 20)}`,
  ({ of }) => `sk_live_${of(ALPHANUMERIC, 24)}`,
  ({ of }) => `rk_test_${of(ALPHANUMERIC, 24)}`,
  ({ of }) => `sk-proj-${of(ALPHANUMERIC, 48)}`,
  ({ of }) => `sk-ant-api03-${of(ALPHANUMERIC, 48)}`,
  ({ of }) => `xoxb-${of(DIGITS, 12)}-${of(DIGITS, 12)}-${of(ALPHANUMERIC, 24)}`,
  ({ of }) => `AIza${of(ALPHANUMERIC, 35)}`,
  ({ of }) => `hf_${of(ALPHANUMERIC, 34)}`,
  ({ of }) => `npm_${of(ALPHANUMERIC, 36)}`,
  ({ of }) => `SG.${of(ALPHANUMERIC, 22)}.${of(ALPHANUMERIC, 43)}`,
  ({ of }) => `pypi-AgEIcHlwaS5vcmc${of(ALPHANUMERIC, 60)}`,
  ({ of }) => `GOCSPX-${of(ALPHANUMERIC, 28)}`,
  ({ of }) => `shpat_${of(HEX, 32)}`,
  ({ of }) => `eyJhbGciOiJIUzI1NiJ9.eyJ${of(ALPHANUMERIC, 30)}.${of(ALPHANUMERIC, 43)}`,
];

const PLACES: Record<PersonalKind, string[]> = {
  EMAIL: ['Please write to {} about it', '{} is my address', 'I never got the mail to {}.', 'Mail (<{}>) bounced'],
  PHONE: ['Call me on {} after six', 'My number is {}, thanks', '{} is where I live', 'Reach me: {}', 'Changed to {}.'],
  CARD: ['My card {} was charged twice', '{} was declined', 'Card number: {}, why?', 'I lost {} yesterday.'],
  KEY: ['The key {} stopped working', '{} is refused', 'I use `{}` in the header', 'Authorization: Bearer {}'],
};

const NEAR_MISSES: ((w: Writer) => string)[] = [
  (w) => card(w, true),
  ({ form }) => form('2024-11-1# 1#:2#:3#'),
  ({ form }) => form('1#/11/2024'),
  ({ form }) => form('192.168.1#.2#'),
  ({ form }) => form('version 1.#.##-rc.#'),
  ({ of }) => `${of(HEX, 8)}-${of(HEX, 4)}-4${of(HEX, 3)}-a${of(HEX, 3)}-${of(HEX, 12)}`,
  ({ of }) => of(HEX, 40),
  ({ of }) => of(HEX, 64),
  ({ form }) => form('order 9########'),
  ({ form }) => form('£1,2##.##'),
  ({ form }) => form('the card ending in ####'),
  ({ form }) => form('1996 1997 199#'),
  ({ form }) => form('6-# 7-# 6-#'),
  ({ form }) => form('51.5#, -0.1#'),
  ({ one }) => `${one(FIRST)}@localhost`,
  ({ one }) => `${one(FIRST)} @ ${one(LAST)}`,
  ({ form }) => form('3 apples @ 2.##'),
  () => 'my password is not accepted',
  () => 'API_KEY=<your key here>',
  () => 'the token is missing',
  () => 'sk-learn-contrib-packages and hf_hub',
  ({ form }) => form('the index pk_customer_order_items of table #'),
];

const AROUND_NEAR_MISSES = ['I saw {} in the app', '{} is what it says', 'Why {}?', 'It shows {}, is this right?'];

/** So many texts of each kind, forms and places in turn; and as many near misses as texts with personal data. */
export function plantedPersonalData(perKind: number, random: Random): PersonalText[] {
  const w = writer(random);
  const forms: Record<PersonalKind, ((w: Writer) => string)[]> = {
    EMAIL: EMAILS,
    PHONE: PHONES.map((pattern) => () => w.form(pattern)),
    CARD: [() => card(w, false)],
    KEY: KEYS,
  };
  const texts: PersonalText[] = [];
  const add = (kind: PersonalKind | null, item: string, place: string) =>
    texts.push({ kind, item, start: place.indexOf('{}'), text: place.replace('{}', () => item) });
  for (const kind of Object.keys(forms) as PersonalKind[])
    for (let i = 0; i < perKind; i += 1) add(kind, forms[kind][i % forms[kind].length]!(w), w.one(PLACES[kind]));
  for (let i = texts.length; i > 0; i -= 1)
    add(null, NEAR_MISSES[i % NEAR_MISSES.length]!(w), w.one(AROUND_NEAR_MISSES));
  return texts;
}
