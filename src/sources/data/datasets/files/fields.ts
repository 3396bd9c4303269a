/** What a column of a data file may be used for. */
export interface FieldDefinition {
  /** Told to users. */
  description: string;
  /** Names that public data sets use for it, in lower case with underscores, the likeliest first. */
  names: readonly string[];
}

/** Fields that rows of every kind may have. */
export const COMMON_FIELDS = {
  ID: {
    description: 'Id of the row: versions are compared and extended by it.',
    names: ['id', 'uuid', 'key', 'row_id', 'example_id', 'raw_id'],
  },
  SPLIT: {
    description: 'Split of the row: train, validation (or dev) or test.',
    names: ['split', 'set', 'partition', 'fold', 'raw_split', 'subset'],
  },
  GROUP: {
    description: 'Rows of one group are never parted by a hashed split.',
    names: ['group', 'title', 'group_id', 'thread', 'thread_id', 'conversation_id', 'document_id', 'doc_id'],
  },
  SUBJECT: {
    description: 'Whom the row is about: their rows can be deleted.',
    names: ['subject', 'customer', 'user', 'author', 'person', 'customer_id', 'user_id', 'author_id', 'email'],
  },
  ENTITY: {
    description: 'Key for the feature store, e.g. `customer:42`.',
    names: ['entity', 'entity_key', 'customer', 'customer_id', 'user', 'user_id'],
  },
  EVENT_TIME: {
    description: 'The moment that the row speaks of (ISO 8601): features are joined as of it.',
    names: ['event_time', 'timestamp', 'sent_at', 'created_at', 'time', 'date', 'datetime'],
  },
} as const satisfies Record<string, FieldDefinition>;

/** The text of a row that has one: shared by the kinds that label a text or stretches of it. */
export const TEXT_FIELD: FieldDefinition = {
  description: 'Text to classify, or to look for entities in.',
  names: [
    'text',
    'sentence',
    'utterance',
    'message',
    'content',
    'input',
    'query',
    'review',
    'body',
    'comment',
    'tweet',
    'document',
    'question',
  ],
};
