/**
 * Units that are written right behind their number (`10kg`, `230V`, `9am`) as often as with a blank: behind digits and before anything but a letter or a
 * digit. What isn't listed stays one word with its digits, as it is with none between them (`3D`, `19th`, `802.11ac`).
 */
export const UNIT =
  '(?:[kmcµμ]?[gml]|mm|lbs?|oz|ft|km|kmh|mph|[kmgt]i?b|[kmg]?hz|[km]?wh?|m?ah?|[km]?v|[km]?pa|bar|psi|rpm|nm|lm|lx|db|k?j|kcal|' +
  'ms|sec|min|h|hrs?|am|pm|px|dpi|eur|usd|gbp|chf|c|f)(?![\\p{L}\\p{N}])';
