import { z } from 'zod';

/** The DuckDB (hence Parquet) type of a field of a row: texts, whole numbers, and lists of objects of such. */
export function columnType(schema: unknown): string {
  if (schema instanceof z.ZodOptional) return columnType(schema.unwrap());
  if (schema instanceof z.ZodString || schema instanceof z.ZodEnum) return 'VARCHAR';
  if (schema instanceof z.ZodNumber) return 'BIGINT';
  if (schema instanceof z.ZodArray) return `${columnType(schema.element)}[]`;
  if (schema instanceof z.ZodObject) {
    const fields = Object.entries(schema.shape).map(([name, field]) => `"${name}" ${columnType(field)}`);
    return `STRUCT(${fields.join(', ')})`;
  }
  throw new TypeError('A row may hold texts, whole numbers, and lists of objects of such.');
}
