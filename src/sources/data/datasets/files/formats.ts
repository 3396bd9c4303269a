/** How a data file may be written. */
export enum DataFormat {
  /** CSV, TSV and other delimited text. */
  DELIMITED = 'DELIMITED',
  /** One text a line, e.g. one side of a parallel corpus. */
  LINES = 'LINES',
  JSONL = 'JSONL',
  /** One JSON array of objects. */
  JSON = 'JSON',
  /** The JSON form of SQuAD: articles, paragraphs, questions. */
  SQUAD = 'SQUAD',
  PARQUET = 'PARQUET',
}
