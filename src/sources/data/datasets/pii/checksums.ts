/** Luhn's check (ISO/IEC 7812-1) over a string of digits: the rightmost digit is the check digit. */
export function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    let value = digits.charCodeAt(digits.length - 1 - i) - 48;
    if (i % 2 === 1 && (value *= 2) > 9) value -= 9;
    sum += value;
  }
  return sum % 10 === 0;
}

/** The check of ISO 13616: the rearranged account number, letters as 10..35, is 1 modulo 97. */
export function isIban(compact: string): boolean {
  if (!/^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(compact)) return false;
  let remainder = 0;
  for (const character of compact.slice(4) + compact.slice(0, 4))
    for (const digit of Number.parseInt(character, 36).toString()) remainder = (remainder * 10 + Number(digit)) % 97;
  return remainder === 1;
}
