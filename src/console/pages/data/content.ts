import type { ContentShownFragment } from '../../generated/operations';

/** A row's content in one line. */
export function contentText(content: ContentShownFragment): string {
  switch (content.__typename) {
    case 'ClassificationContent':
      return `${content.text} → ${content.label}`;
    case 'ExtractionContent':
      return `${content.text} → ${content.entities.map(({ text, type }) => `${text} (${type})`).join(', ')}`;
    case 'TranslationContent':
      return `${content.source} → ${content.target}`;
    case 'QuestionContent':
      return `${content.question} → ${content.answer}`;
    case 'InstructionContent':
      return content.messages.map(({ role, content: said }) => `${role}: ${said}`).join(' · ');
  }
}
