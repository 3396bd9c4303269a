import type { ContentShownFragment } from '../../generated/operations';

/** A row's content in one line. */
export const contentText = (content: ContentShownFragment): string =>
  content.__typename === 'ExtractionContent'
    ? `${content.input} → ${content.entities.map(({ text, type }) => `${text} (${type})`).join(', ')}`
    : `${content.input} → ${content.output}`;
