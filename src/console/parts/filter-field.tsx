import { TextInput, type TextInputProps } from '@mantine/core';

/** A text that something is narrowed by. What is typed holds when the field is left or Enter is pressed, if it is another than before. */
export function FilterField({
  value,
  onNarrow,
  ...rest
}: Omit<TextInputProps, 'value' | 'onChange'> & { value: string | null; onNarrow: (value: string | null) => void }) {
  const held = value?.trim() || null;
  const leave = (typed: string) => {
    const next = typed.trim() || null;
    if (next !== held) onNarrow(next);
  };
  return (
    <TextInput
      {...rest}
      // What changes from elsewhere stands in the field, too.
      key={held}
      defaultValue={held ?? ''}
      onBlur={({ currentTarget }) => leave(currentTarget.value)}
      onKeyDown={(event) => event.key === 'Enter' && event.currentTarget.blur()}
    />
  );
}
