import type { ContentShownFragment } from '../../generated/operations';

/** What a row teaches to answer, in one line. */
export const outputText = (content: ContentShownFragment): string =>
  content.__typename === 'ExtractionContent'
    ? content.entities.map(({ text, type }) => `${text} (${type})`).join(', ')
    : content.output;

/** A row's content in one line. */
export const contentText = (content: ContentShownFragment): string => `${content.input} → ${outputText(content)}`;
