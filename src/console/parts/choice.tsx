import { SegmentedControl } from '@mantine/core';

/** One of a few, all of which are to be seen; on a phone they scroll. */
export function Choice<Value extends string>({
  label,
  mb = 'sm',
  ...rest
}: {
  label: string;
  mb?: 'sm' | 0;
  data: { value: Value; label: string }[];
  value: Value;
  onChange: (value: Value) => void;
}) {
  return <SegmentedControl aria-label={label} mb={mb} style={{ maxWidth: '100%', overflowX: 'auto' }} {...rest} />;
}
