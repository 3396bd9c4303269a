/** A text as written, and without the characters that show nothing, closed up and parted where they stood: what is looked for may be hidden in any of these. */
export function disguised(text: string): string[] {
  if (ASCII.test(text)) return [text];
  return [text, ...['', ' '].map((gap) => text.replace(IGNORABLE, gap).normalize('NFKC'))];
}

const ASCII = /^\p{ASCII}*$/u;
const IGNORABLE = /\p{Default_Ignorable_Code_Point}/gu;
